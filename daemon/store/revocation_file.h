// revocation_file.h: revocations on disk, in a small durable LMDB environment: a set of rules and
// withdrawals (revocation_records.h). It survives reboots, reloads, key rotation and clearing the
// cache.
//
// The directory (mode 0700) holds:
//   lock             held while the file is open: one daemon per directory
//   key              32 random bytes (0400), created with the directory; for fingerprints, checks
//   revocations.mdb  the set and its head
//
// Unlike the cache, an unreadable file, or one of another version, is never discarded: the daemon
// refuses to start, because otherwise revoked tokens would be valid again. The same holds for a set that is older than a copy
// of its head: open() therefore writes nothing, and the caller compares the head first.
// After a failed write the environment is closed; the next write first opens and verifies it.
//
// Blocks on the disk. One thread at a time: at startup the loop thread, then the writer thread.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "daemon/base/random.h"
#include "daemon/base/secret.h"
#include "daemon/store/lmdb.h"
#include "daemon/store/private_directory.h"
#include "daemon/store/revocation_records.h"

namespace claimsd::store {

struct RevocationFileOptions {
  std::string directory;
  std::string boot_id;  // /proc/sys/kernel/random/boot_id
  std::size_t max_rules = 100'000;
  std::string head_copy;  // a file for a copy of the head, outside the directory; "": none
};

// Creates the directory and its key if missing.
Result<Secret> load_revocation_key(const std::string& directory, Random& random);

class RevocationFile {
 public:
  // Reads and verifies the set. Times of earlier boots are converted to this one.
  static Result<std::unique_ptr<RevocationFile>> open(RevocationFileOptions options,
                                                      const Secret& key, const Now& now);

  // What open() found and has not ended.
  const std::vector<claims::Rule>& rules() const { return rules_; }
  const std::vector<claims::Withdrawal>& withdrawals() const { return withdrawals_; }
  // Hands them over: what was loaded is not needed here again.
  std::vector<claims::Rule> take_rules() { return std::exchange(rules_, {}); }
  std::vector<claims::Withdrawal> take_withdrawals() { return std::exchange(withdrawals_, {}); }
  // The head after the last durable transaction.
  const claims::SetHead& head() const { return head_; }

  // The first change to write: drops what has ended, and stores the times on this boot's clock, so
  // that the next start can continue from them. May be empty.
  claims::RevocationChange take_due() { return std::exchange(due_, {}); }
  // Makes this set the newest: the next sequence is above `beyond`.
  Status supersede(std::uint64_t beyond);
  // On success all of it is durable; on failure none is.
  Status write(const claims::RevocationChange& change) { return write(change, 0); }
  // Brings the copy of the head up to date.
  Status save_copy() const;

 private:
  struct Open {
    LmdbEnvironment environment;
    LmdbTable table;
  };

  RevocationFile(RevocationFileOptions options, DirectoryLock lock, crypto::HmacSha256 check)
      : options_(std::move(options)),
        lock_(std::move(lock)),
        codec_(options_.boot_id, std::move(check)) {}

  std::string path() const { return options_.directory + "/revocations.mdb"; }
  Result<Open> open_environment() const;
  Result<SetState> read(Open& open, const Now& now, bool keep);
  Status take(const LmdbCursor::Record& record, const Now& now, bool keep, SetState& found);
  void keep_rule(const RevocationCodec::Stored<claims::Rule>& stored, const Now& now);
  void keep_withdrawal(const RevocationCodec::Stored<claims::Withdrawal>& stored, const Now& now);
  Status write(const claims::RevocationChange& change, std::uint64_t beyond);
  Status reopen();
  tl::unexpected<Error> unusable(std::string_view record) const;
  tl::unexpected<Error> damaged() const;
  LmdbStatus apply(LmdbWriter& writer, const claims::RevocationChange& change, SetState& state);
  template <class T>
  LmdbStatus put(LmdbWriter& writer, const std::string& key, const T& content, SetState& state);
  LmdbStatus erase(LmdbWriter& writer, const std::string& key, SetState& state);
  LmdbStatus forget(LmdbWriter& writer, const std::string& key, SetState& state);

  RevocationFileOptions options_;
  DirectoryLock lock_;
  RevocationCodec codec_;
  std::optional<Open> open_;  // empty after a failed write
  SetState state_;            // of the last durable transaction
  claims::SetHead head_;
  std::vector<claims::Rule> rules_;
  std::vector<claims::Withdrawal> withdrawals_;
  claims::RevocationChange due_;
};

}  // namespace claimsd::store
