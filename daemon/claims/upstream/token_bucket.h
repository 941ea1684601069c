// token_bucket.h: a token bucket rate limiter, with a sustained rate and a burst. Pure; loop
// thread.
#pragma once

#include <cstdint>
#include <list>
#include <unordered_map>

#include "daemon/base/clock.h"

namespace claimsd::claims {

struct Rate {
  std::uint32_t per_second = 0;  // 0: no limit
  std::uint32_t burst = 0;       // at least 1
  friend bool operator==(const Rate&, const Rate&) = default;
};

class TokenBucket {
 public:
  TokenBucket(const Rate& rate, BootTime now)
      : level_(static_cast<double>(rate.burst)), filled_at_(now) {}

  void fill(const Rate& rate, BootTime now);
  // True if one token can be taken and `reserve` tokens remain.
  bool has(double reserve) const { return level_ - reserve >= 1.0; }
  void take() { level_ -= 1.0; }
  // Time until has(reserve) becomes true.
  Duration wait(const Rate& rate, double reserve) const;

 private:
  double level_;
  BootTime filled_at_;
};

// One bucket per key, for at most `capacity` keys; the least recently used one is evicted. An
// evicted key starts again with a full bucket, so bypassing the limit takes more than `capacity`
// keys.
template <class Key>
class TokenBuckets {
 public:
  TokenBuckets(const Rate& rate, std::size_t capacity) : rate_(rate), capacity_(capacity) {}

  const Rate& rate() const { return rate_; }
  bool unlimited() const { return rate_.per_second == 0; }
  // The bucket of `key`, filled up to `now`. The reference is valid until the next call.
  TokenBucket& of(const Key& key, BootTime now) {
    TokenBucket& bucket = find_or_add(key, now);
    bucket.fill(rate_, now);
    return bucket;
  }
  std::size_t size() const { return index_.size(); }

 private:
  using Entry = std::pair<Key, TokenBucket>;

  TokenBucket& find_or_add(const Key& key, BootTime now) {
    if (const auto found = index_.find(key); found != index_.end()) {
      entries_.splice(entries_.begin(), entries_, found->second);
      return found->second->second;
    }
    if (index_.size() >= capacity_) {
      index_.erase(entries_.back().first);
      entries_.pop_back();
    }
    entries_.emplace_front(key, TokenBucket(rate_, now));
    index_[key] = entries_.begin();
    return entries_.front().second;
  }

  Rate rate_;
  std::size_t capacity_;
  std::list<Entry> entries_;  // most recently used first
  std::unordered_map<Key, typename std::list<Entry>::iterator> index_;
};

}  // namespace claimsd::claims
