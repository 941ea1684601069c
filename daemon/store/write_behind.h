// write_behind.h: in front of the LmdbClaimsCache, so that a burst of new entries costs one
// transaction and not one each: that was a third of what the daemon adds to a miss (20 µs; it is 2
// an entry this way).
//
// put() keeps the entry in memory, where find() sees it, and flush_some() writes a few of them at
// once: when kMaxEntries or kMaxBytes are waiting, and when due() has come. All of them together
// would hold everybody up for a quarter of a millisecond. The end writes all. So an entry that
// was acknowledged survives the daemon being killed only once it has waited for kDelay, which costs
// one request. An erasure is not put off, since an entry that came back would be a wrong answer: it
// is in the file when erase() returns, and what only waited is wiped.
//
// kFull keeps its meaning: close to the limit, on a full disk or while the cache is in trouble
// entries are not held back (LmdbClaimsCache::roomy), so whoever can evict hears of it with the put
// that needs it. Should a flush fail all the same, what fits is kept and the rest is gone, in the
// file as well: an older entry must not show in the place of a newer one.
//
// Loop thread. The references given to it must outlive it. Claims in memory are wiped when they go.
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

namespace claimsd::daemon {

class WriteBehindCache final : public ClaimsCache {
 public:
  static constexpr std::size_t kMaxEntries = 64;
  static constexpr std::size_t kMaxBytes = std::size_t{256} << 10;  // of claims
  static constexpr std::size_t kTogether = 8;                       // entries of one transaction
  static constexpr milliseconds kDelay{50};
  static constexpr milliseconds kBetween{1};  // two of several transactions: others are served

  WriteBehindCache(LmdbClaimsCache& cache, const Clock& clock);
  // Flushes.
  ~WriteBehindCache() override;
  WriteBehindCache(const WriteBehindCache&) = delete;
  WriteBehindCache& operator=(const WriteBehindCache&) = delete;

  std::optional<Entry> find(const TokenKey& key) override;
  Stored put(const TokenKey& key, const Entry& entry) override;
  bool erase(const TokenKey& key) override;
  // Flushes first.
  void each(const std::function<void(const TokenKey&, BootTime fresh_until)>& visit) override;
  // Flushes first.
  std::optional<TokenKey> scan(
      const std::optional<TokenKey>& after, std::size_t most,
      const std::function<void(const TokenKey&, const Entry&)>& visit) override;
  // Waiting ones included; the LmdbClaimsCache's own count has only those that are in the file.
  std::size_t entries() const override;

  // When flush_some() is to be called; nothing while nothing waits.
  std::optional<BootTime> due() const { return due_; }
  void flush_some();
  void flush() { flush_first(waiting_.size()); }

  std::size_t waiting() const { return waiting_.size(); }
  // Entries that were acknowledged and then could not be written.
  std::uint64_t lost() const { return lost_; }

 private:
  struct Waiting {
    TokenKey key;
    Entry entry;  // its claims are not these, but:
    Secret claims;
    Entry view() const;
  };

  Waiting* waiting_for(const TokenKey& key);
  void drop(Waiting& gone);
  bool has_room_for(std::size_t claims) const;
  Stored write_through(const TokenKey& key, const Entry& entry);
  void flush_first(std::size_t most);
  void write_singly(std::span<const Waiting> these);

  LmdbClaimsCache& cache_;
  const Clock& clock_;
  std::vector<Waiting> waiting_;
  std::size_t bytes_ = 0;  // of claims in waiting_
  std::optional<BootTime> due_;
  std::uint64_t lost_ = 0;
};

}  // namespace claimsd::daemon
