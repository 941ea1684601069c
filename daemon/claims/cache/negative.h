// negative.h: tokens that the Auth API refused a moment ago, in a partition of their own, so that
// junk can never push out a good entry.
//
// Holds refusals alone (an outage is no refusal), the Auth API's and those of a revocation, each
// for the same short time, at most `capacity` of them: the oldest goes first. In memory only; loop
// thread.
#pragma once

#include <deque>
#include <optional>
#include <unordered_map>

#include "daemon/base/clock.h"
#include "daemon/claims/parse/token.h"

namespace claimsd::daemon {

class NegativeEntries {
 public:
  struct Refusal {
    BootTime refused_at;  // when the request that was refused started
    BootTime until;
    proto::Reason reason = proto::Reason::kRefused;
  };

  NegativeEntries(Duration ttl, std::size_t capacity) : ttl_(ttl), capacity_(capacity) {}

  // Keeps a refusal. With a zero ttl or capacity: keeps nothing.
  void put(const TokenKey& key, BootTime refused_at,
           proto::Reason reason = proto::Reason::kRefused);
  // The refusal of `key`, if it still counts.
  std::optional<Refusal> find(const TokenKey& key, BootTime now) const;
  void erase(const TokenKey& key) { refusals_.erase(key); }
  void clear();
  // For those to come; those kept end no later than it allows.
  void set_ttl(Duration ttl) { ttl_ = ttl; }
  std::size_t size() const { return refusals_.size(); }
  // Drops what has ended; amortised constant time.
  void expire(BootTime now);

 private:
  struct Arrival {
    TokenKey key;
    BootTime until;
  };
  void drop_oldest();

  Duration ttl_;
  std::size_t capacity_;
  std::unordered_map<TokenKey, Refusal, TokenKeyHash> refusals_;
  std::deque<Arrival> arrivals_;  // by age; may name keys that were erased or refused again since
};

}  // namespace claimsd::daemon
