// claims_cache.h: the claims cache: confirmed tokens in an LMDB environment that survives the
// daemon, but not the boot.
//
// A directory of its own (0700), which holds
//   lock         taken for as long as the cache is open: one daemon a directory
//   identity     environment_identity.h: boot, version and host key that the data belongs to
//   claims.mdb   TokenKey -> claims_record.h, in LMDB's main table
// The values of small entries are in memory once more (sealed_slots.h), where find() looks first.
// What does not match, or cannot be read, is dropped and begun anew: it can all be asked for again.
// The identity file is away while claims.mdb is being opened and walked, so data that crashes the
// process there is dropped by the next one.
//
// Nothing is synced (the file lives in memory or is void after the next boot anyway), and no map is
// written through: a full disk is an error and not a SIGBUS. When writing fails beyond repair, all
// is dropped rather than served: an entry that should have been erased must not come back. The next
// call, after a pause, begins anew under the same keys, so that TokenKeys stay what they are.
//
// Loop thread. With 300 bytes of claims find() takes 0.4 µs at a thousand entries and 1.1 at a
// million, put() 10, opening a million 0.2 s (tests/store/store_bench.cc). The references
// given to open() must outlive the cache.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "daemon/claims/ports.h"
#include "daemon/log/log.h"
#include "daemon/store/claims_record.h"
#include "daemon/store/lmdb.h"
#include "daemon/store/private_directory.h"
#include "daemon/store/sealed_slots.h"

namespace claimsd::daemon {

struct ClaimsCacheOptions {
  std::string directory;
  // Bytes of pages that entries may take. Keys are random, so pages are two thirds full: an entry
  // with 300 bytes of claims takes some 610 bytes. An eighth more (at least 1 MiB) is set aside,
  // since LMDB needs free pages even to delete. Content is to be capped well below: near the limit
  // a new entry fits only where its own page has room, or others have emptied theirs.
  // Slots in memory take as much again, at most.
  std::size_t map_size = std::size_t{1} << 30;
  std::string boot_id;  // /proc/sys/kernel/random/boot_id
};

struct NewEntry {
  TokenKey key;
  Entry entry;
};

class LmdbClaimsCache final : public ClaimsCache {
 public:
  // Since the cache was opened.
  struct Counters {
    std::uint64_t tampered = 0;          // entries that did not open and were erased
    std::uint64_t full = 0;              // puts refused for want of room
    std::uint64_t failed = 0;            // operations that LMDB or libcrypto failed
    std::uint64_t dropped = 0;           // times that everything had to be dropped
    std::optional<BootTime> trouble_at;  // when one of these two was counted last
  };

  static Result<std::unique_ptr<LmdbClaimsCache>> open(const ClaimsCacheOptions& options,
                                                       const Secret& host_key, const Clock& clock,
                                                       Random& random, Log& log);
  ~LmdbClaimsCache() override;
  LmdbClaimsCache(const LmdbClaimsCache&) = delete;
  LmdbClaimsCache& operator=(const LmdbClaimsCache&) = delete;

  std::optional<Entry> find(const TokenKey& key) override;
  Stored put(const TokenKey& key, const Entry& entry) override;
  bool erase(const TokenKey& key) override;
  void each(const std::function<void(const TokenKey&, BootTime fresh_until)>& visit) override;
  std::size_t entries() const override { return entries_; }
  std::optional<TokenKey> scan(
      const std::optional<TokenKey>& after, std::size_t most,
      const std::function<void(const TokenKey&, const Entry&)>& visit) override;

  // All of them in one transaction, or none. No entry's claims may be what find() returned.
  Stored put_all(std::span<const NewEntry> batch);
  // Without opening it.
  bool holds(const TokenKey& key);
  // Whether so many entries with so many bytes of claims in all are sure to be far from kFull.
  bool roomy(std::size_t entries, std::size_t bytes) const;

  // For HmacKeyer: the key under which this environment's TokenKeys were made.
  const Secret& token_key_key() const { return token_key_key_; }
  const Counters& counters() const { return counters_; }

 private:
  // At most one line of a kind in kLogPause.
  struct LogLimit {
    std::optional<BootTime> next;
    bool allows(BootTime now);
  };
  struct Open {  // members in this order: the reader goes first
    LmdbEnvironment environment;
    LmdbTable table;
    LmdbReader reader;
  };

  LmdbClaimsCache(const ClaimsCacheOptions& options, const Clock& clock, Log& log,
                  DirectoryLock lock, std::string identity, Secret token_key_key,
                  ClaimsRecords records);

  std::string identity_path() const { return options_.directory + "/identity"; }
  std::string data_path() const { return options_.directory + "/claims.mdb"; }
  std::optional<Entry> find_in_file(const TokenKey& key);
  Result<Open> open_environment() const;
  Result<LmdbStats> walk(Open& open) const;
  Status open_or_start_empty(std::string why_empty);
  Status begin();
  bool usable();
  bool remove_files() const;
  void drop_everything(const std::string& why);
  void count_failure();
  Stored give_up(LmdbError error, std::string_view doing);
  Stored store(LmdbWriter& writer, std::span<const NewEntry> batch);
  Stored not_sealed(const Entry& entry);
  std::size_t page_limit() const;
  void report_tampered();

  ClaimsCacheOptions options_;
  const Clock& clock_;
  Log& log_;
  DirectoryLock lock_;
  std::string identity_;  // encoded
  Secret token_key_key_;
  ClaimsRecords records_;
  SealedSlots slots_;         // of what is in the file
  std::optional<Open> open_;  // nothing: in trouble, see drop_everything()
  bool gone_ = true;          // while in trouble: no old entry can come back
  BootTime try_again_{};
  std::size_t entries_ = 0;
  std::size_t pages_ = 0;       // of the tree
  bool disk_has_room_ = true;   // when last written to
  std::size_t peak_pages_ = 0;  // of the tree while the disk had room: as many it can have again
  Counters counters_;
  LogLimit tampered_log_;
  LogLimit failed_log_;
};

}  // namespace claimsd::daemon
