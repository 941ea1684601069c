// claims_cache.h: the persistent claims cache: confirmed tokens in an LMDB environment that
// survives a restart of the daemon, but not a reboot.
//
// The cache uses a private directory (mode 0700):
//   lock         held while the cache is open: one daemon per directory
//   identity     environment_identity.h: boot, version and host key that the data belongs to
//   claims.mdb   TokenKey -> claims_record.h, in LMDB's main table; large values in pieces (pieces.h)
// The kernel's pages of the file are the only copy in memory.
//
// Data that does not match or cannot be read is discarded, because the Auth API can be queried
// again. The identity file is removed while claims.mdb is opened and walked. If the data crashes
// the process there, the next start discards it.
//
// Nothing is synced, because the data is void after a reboot. The map is never written through, so
// a full disk is an error and not a SIGBUS. If a write fails beyond recovery, the cache discards
// all entries rather than risk serving one that should have been erased. After a pause the next
// call starts an empty cache with the same keys, so that TokenKeys remain valid.
//
// Owned by the daemon; loop thread. The references passed to open() must outlive the cache. With
// 300 bytes of claims on a busy machine, find() takes 1.5 µs at a thousand entries and 4 µs at a
// million, put() takes 12 and 19 µs, and opening a million entries takes 0.4 s
// (tests/store/store_bench.cc).
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "daemon/claims/ports.h"
#include "daemon/log/log.h"
#include "daemon/store/claims_record.h"
#include "daemon/store/lmdb.h"
#include "daemon/store/private_directory.h"

namespace claimsd::store {

struct ClaimsCacheOptions {
  std::string directory;
  // Bytes of pages for entries. Keys are random, so pages are two thirds full: an entry with 300
  // bytes of claims takes about 610 bytes. Another eighth (at least 1 MiB) is reserved, because
  // LMDB needs free pages even to delete. Limit the content well below this size: near the limit, a
  // new entry fits only if its own page has room or others have been emptied.
  std::size_t map_size = std::size_t{1} << 30;
  std::string boot_id;  // /proc/sys/kernel/random/boot_id
};

class LmdbClaimsCache final : public claims::ClaimsCache {
 public:
  // Totals since the cache was opened.
  struct Counters {
    std::uint64_t tampered = 0;            // entries that failed to decrypt and were erased
    std::uint64_t full = 0;                // puts rejected for lack of space
    std::uint64_t failed = 0;              // operations that failed in LMDB or libcrypto
    std::uint64_t dropped = 0;             // times that all entries were discarded
    std::uint64_t disk_full = 0;           // writes for which the file system had no room
    std::optional<BootTime> error_at;      // when `failed` or `dropped` last increased
    std::optional<BootTime> disk_full_at;  // when it last increased; none: there is room again
  };

  static Result<std::unique_ptr<LmdbClaimsCache>> open(const ClaimsCacheOptions& options,
                                                       const Secret& host_key, const Clock& clock,
                                                       Random& random, Log& log);
  ~LmdbClaimsCache() override;
  LmdbClaimsCache(const LmdbClaimsCache&) = delete;
  LmdbClaimsCache& operator=(const LmdbClaimsCache&) = delete;

  std::optional<claims::Entry> find(const claims::TokenKey& key) override;
  claims::Stored put(const claims::TokenKey& key, const claims::Entry& entry) override;
  bool erase(const claims::TokenKey& key) override;
  void each(
      const std::function<void(const claims::TokenKey&, BootTime fresh_until)>& visit) override;
  std::size_t entries() const override { return entries_; }
  std::optional<claims::TokenKey> scan(
      const std::optional<claims::TokenKey>& after, std::size_t most,
      const std::function<void(const claims::TokenKey&, const claims::Entry&)>& visit) override;

  // Wipes the claims that find() and scan() opened. Call it when none of them is used any more.
  void wipe_opened() { records_.wipe(); }

  // The key from which HmacKeyer derives this environment's TokenKeys.
  const Secret& token_key_key() const { return token_key_key_; }
  const Counters& counters() const { return counters_; }

 private:
  // Allows at most one message of a kind per kLogPause.
  struct LogLimit {
    std::optional<BootTime> next;
    bool allows(BootTime now);
  };
  struct Open {  // in this order: the reader is destroyed first
    LmdbEnvironment environment;
    LmdbTable table;
    LmdbReader reader;
  };

  struct Contents {
    std::size_t entries = 0;
    std::size_t pieces = 0;
    std::size_t pages = 0;
  };

  LmdbClaimsCache(const ClaimsCacheOptions& options, const Clock& clock, Log& log,
                  DirectoryLock lock, std::string identity, Secret token_key_key,
                  ClaimsRecords records);

  std::string identity_path() const { return options_.directory + "/identity"; }
  std::string data_path() const { return options_.directory + "/claims.mdb"; }
  Result<Open> open_environment() const;
  Result<Contents> walk(Open& open) const;
  Status open_or_start_empty(std::string why_empty);
  Status begin();
  bool usable();
  bool remove_files() const;
  void drop_everything(const std::string& why);
  void count_failure();
  void count_full_disk();
  claims::Stored give_up(LmdbError error, std::string_view doing);
  LmdbStatus replace(LmdbWriter& writer, const claims::TokenKey& key, std::string_view value,
                     std::size_t& pieces);
  claims::Stored not_sealed(const claims::Entry& entry);
  std::size_t page_limit() const;
  void report_tampered();

  ClaimsCacheOptions options_;
  const Clock& clock_;
  Log& log_;
  DirectoryLock lock_;
  std::string identity_;  // encoded
  Secret token_key_key_;
  ClaimsRecords records_;
  std::optional<Open> open_;  // empty after a failure, see drop_everything()
  bool gone_ = true;          // after a failure: no old entry can come back
  BootTime try_again_{};
  std::size_t entries_ = 0;
  std::size_t pieces_ = 0;       // further pieces of large entries (pieces.h)
  std::vector<char> assembled_;  // the sealed pieces of one entry
  bool disk_has_room_ = true;    // as of the last write
  std::size_t peak_pages_ =
      0;  // maximum of the B-tree while the disk had room; it can grow to this again
  Counters counters_;
  LogLimit tampered_log_;
  LogLimit failed_log_;
  LogLimit full_log_;
};

}  // namespace claimsd::store
