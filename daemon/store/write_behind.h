// write_behind.h: a write buffer in front of LmdbClaimsCache: a burst of new entries costs one
// transaction instead of one each. That reduces the cost of a put from 20 µs, a third of what the
// daemon adds to a miss, to 2 µs.
//
// put() keeps the entry in memory, where find() sees it. flush_some() writes a few at a time: when
// kMaxEntries or kMaxBytes are waiting, and when due() has come. Writing all of them at once would
// block the loop for a quarter of a millisecond. The destructor writes all. If the daemon is
// killed, entries younger than kDelay are lost, which costs one request each. Erasures are never
// deferred, because an entry that reappeared would be a wrong answer: erase() updates the file
// before it returns and wipes a waiting entry.
//
// kFull keeps its meaning: near the size limit, on a full disk or after a failure, entries are
// written through (LmdbClaimsCache::roomy), so the caller learns in time that it must evict. If a
// flush still fails, entries that fit are kept and the others are also erased from the file, so
// that an older entry cannot replace a newer one.
//
// Loop thread. The constructor's references must outlive it. Claims in memory are wiped on release.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "daemon/base/clock.h"
#include "daemon/base/secret.h"
#include "daemon/claims/ports.h"
#include "daemon/store/claims_cache.h"

namespace claimsd::store {

class WriteBehindCache final : public claims::ClaimsCache {
 public:
  static constexpr std::size_t kMaxEntries = 64;
  static constexpr std::size_t kMaxBytes = std::size_t{256} << 10;  // of claims
  static constexpr std::size_t kTogether = 8;                       // entries per transaction
  static constexpr milliseconds kDelay{50};
  static constexpr milliseconds kBetween{1};  // between transactions, to serve others

  WriteBehindCache(LmdbClaimsCache& cache, const Clock& clock);
  // Flushes all entries.
  ~WriteBehindCache() override;
  WriteBehindCache(const WriteBehindCache&) = delete;
  WriteBehindCache& operator=(const WriteBehindCache&) = delete;

  std::optional<claims::Entry> find(const claims::TokenKey& key) override;
  claims::Stored put(const claims::TokenKey& key, const claims::Entry& entry) override;
  bool erase(const claims::TokenKey& key) override;
  // Flushes first.
  void each(
      const std::function<void(const claims::TokenKey&, BootTime fresh_until)>& visit) override;
  // Flushes first.
  std::optional<claims::TokenKey> scan(
      const std::optional<claims::TokenKey>& after, std::size_t most,
      const std::function<void(const claims::TokenKey&, const claims::Entry&)>& visit) override;
  // Includes waiting entries, unlike the count of LmdbClaimsCache.
  std::size_t entries() const override;

  // When to call flush_some(); nothing if no entry is waiting.
  std::optional<BootTime> due() const { return due_; }
  void flush_some();
  void flush() { flush_first(waiting_.size()); }

  std::size_t waiting() const { return waiting_.size(); }
  // Entries that were acknowledged but could not be written.
  std::uint64_t lost() const { return lost_; }

 private:
  struct Waiting {
    claims::TokenKey key;
    claims::Entry entry;  // its claims are in `claims`
    Secret claims;
    claims::Entry view() const;
  };

  Waiting* waiting_for(const claims::TokenKey& key);
  void drop(Waiting& gone);
  bool has_room_for(std::size_t claims) const;
  claims::Stored write_through(const claims::TokenKey& key, const claims::Entry& entry);
  void flush_first(std::size_t most);
  void write_singly(std::span<const Waiting> these);

  LmdbClaimsCache& cache_;
  const Clock& clock_;
  std::vector<Waiting> waiting_;
  std::size_t bytes_ = 0;  // of claims in waiting_
  std::optional<BootTime> due_;
  std::uint64_t lost_ = 0;
};

}  // namespace claimsd::store
