// revocation_file.h: revocation rules on disk, in a small durable LMDB environment. It survives
// reboots, reloads, key rotation and clearing the cache.
//
// The directory (mode 0700) holds:
//   lock             held while the file is open: one daemon per directory
//   key              32 random bytes (0400), created with the directory; for fingerprints, checks
//   revocations.mdb  kind and fingerprint -> the rule, in LMDB's main table
//
// A record, little-endian: u16 version, sized boot id, eight i64 of nanoseconds (made_at wall and
// boot, ends wall and boot, not_before, without_iat_ends wall and boot, purged_until), then an
// HMAC-SHA-256 over its key and all of that.
//
// Unlike the cache, an unreadable file, or one of another version, is never discarded: the daemon
// refuses to start, because otherwise revoked tokens would be valid again. After a failed write the environment is closed;
// the next write first opens and verifies it.
//
// Blocks on the disk. One thread at a time: at startup the loop thread, then the writer thread.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "daemon/base/random.h"
#include "daemon/base/secret.h"
#include "daemon/claims/revocation/revocations.h"
#include "daemon/crypto/hmac_sha256.h"
#include "daemon/store/lmdb.h"
#include "daemon/store/private_directory.h"

namespace claimsd::store {

struct RevocationFileOptions {
  std::string directory;
  std::string boot_id;  // /proc/sys/kernel/random/boot_id
  std::size_t max_rules = 100'000;
};

// Creates the directory and its key if missing.
Result<Secret> load_revocation_key(const std::string& directory, Random& random);

class RevocationFile {
 public:
  // Also drops expired rules and restores the remaining time of rules from earlier boots.
  static Result<std::unique_ptr<RevocationFile>> open(RevocationFileOptions options,
                                                      const Secret& key, const Now& now);

  // The rules found by open().
  const std::vector<claims::Rule>& rules() const { return rules_; }

  // On success all of them are durable; on failure none is.
  Status keep(std::span<const claims::Rule> rules);
  Status drop(std::span<const claims::RuleName> names);

 private:
  struct Open {
    LmdbEnvironment environment;
    LmdbTable table;
  };

  RevocationFile(RevocationFileOptions options, DirectoryLock lock, crypto::HmacSha256 check)
      : options_(std::move(options)), lock_(std::move(lock)), check_(std::move(check)) {}

  std::string path() const { return options_.directory + "/revocations.mdb"; }
  Result<Open> open_environment() const;
  Result<std::vector<claims::Rule>> read(Open& open, const Now& now);
  tl::unexpected<Error> unusable(std::string_view record) const;
  Status write(std::span<const claims::Rule> rules, std::span<const claims::RuleName> gone);
  std::string encode(const claims::Rule& rule, const std::string& key);
  std::optional<claims::Rule> decode(std::string_view key, std::string_view value, const Now& now);

  RevocationFileOptions options_;
  DirectoryLock lock_;
  crypto::HmacSha256 check_;
  std::optional<Open> open_;  // empty after a failed write
  std::vector<claims::Rule> rules_;
  std::vector<claims::RuleName> void_;  // found by read(): expired rules to remove
};

}  // namespace claimsd::store
