#include "daemon/claims/service/verdict_cache.h"

#include <vector>

namespace claimsd::claims {
namespace {

// Expired tokens are wiped from memory within this time.
constexpr Duration kSweepInterval = seconds(1);

}  // namespace

VerdictCache::VerdictCache(Dependencies deps)
    : deps_(deps),
      negative_(deps_.policy.negative_ttl, deps_.policy.negative_entries),
      memory_(deps_.policy.memory_entries, deps_.random),
      leases_(deps_.policy.ttl, deps_.policy.lease,
              {deps_.clock, deps_.cache, deps_.publisher, sieve_, deps_.guard, memory_}) {}

std::optional<VerdictCache::Hit> VerdictCache::find_in_memory(const Query& query, const Now& now) {
  const MemoryCache::Item* const item = memory_.find(query.upstream, query.token);
  if (item == nullptr || item->vetted != deps_.guard.rules().generation()) return std::nullopt;
  const Freshness freshness = freshness_of(item->entry, now, deps_.policy.ttl, query.max_age);
  if (!is_usable(freshness)) return std::nullopt;
  sieve_.touch(item->key);
  return Hit{.key = item->key,
             .entry = item->entry,
             .freshness = freshness,
             .renews_lease = query.wants_lease && now.boot >= item->renew_lease_at};
}

std::optional<VerdictCache::Hit> VerdictCache::find(const TokenKey& key, const Query& query,
                                                    const Now& now) {
  if (!sieve_.may_hold(key)) return std::nullopt;
  const std::optional<Entry> entry = deps_.cache.find(key);
  const Sieve::Index place = sieve_.find(key);
  if (!entry || place == Sieve::npos) return std::nullopt;
  const Freshness freshness = freshness_of(*entry, now, deps_.policy.ttl, query.max_age);
  if (!is_usable(freshness)) return std::nullopt;
  if (deps_.guard.is_purged(query.upstream, entry->claims, entry->confirmed_at)) {
    erase(key);
    return std::nullopt;
  }
  return Hit{.key = key,
             .entry = *entry,
             .freshness = freshness,
             .renews_lease = query.wants_lease,
             .place = place};
}

void VerdictCache::used(const Hit& hit, const Query& query, const Now& now) {
  sieve_.touch(hit.place);
  // A lease reads the entry again (Leases::due), so put it into the in-memory cache.
  if (!query.wants_lease && !memory_.asked_again(query.upstream, query.token)) return;
  memory_.put(query.upstream, query.token, hit.key, hit.entry, deps_.guard.rules().generation());
  if (!next_sweep_) next_sweep_ = now.boot + kSweepInterval;
}

// Needs no check for rejected or revoked tokens: a rejection erases the entry, and revoked tokens
// are filtered out earlier. Purges are checked here.
std::optional<Entry> VerdictCache::find_stale(const TokenKey& key, UpstreamId upstream,
                                              const std::optional<Duration>& max_age,
                                              const Now& now) {
  if (deps_.policy.ttl.stale_if_error <= Duration(0)) return std::nullopt;
  const std::optional<Entry> entry = peek(key);
  if (!entry) return std::nullopt;
  if (freshness_of(*entry, now, deps_.policy.ttl, max_age) != Freshness::kStaleUsable)
    return std::nullopt;
  if (deps_.guard.is_purged(upstream, entry->claims, entry->confirmed_at)) return std::nullopt;
  return entry;
}

std::optional<Entry> VerdictCache::peek(const TokenKey& key) {
  return sieve_.holds(key) ? deps_.cache.find(key) : std::nullopt;
}

void VerdictCache::restore(const TokenKey& key, BootTime fresh_until) {
  sieve_.put(key, fresh_until + deps_.policy.ttl.stale_if_error);
}

void VerdictCache::put(const TokenKey& key, const Entry& entry, const Now& now) {
  deps_.publisher.withdraw(key);
  memory_.erase(key);  // it holds the old entry
  evict_for(sieve_.holds(key) ? 0 : 1, now);
  Stored stored = deps_.cache.put(key, entry);
  // The store is also limited by bytes: a large entry may replace several small ones.
  for (int tries = 0; stored == Stored::kFull && tries < 16 && sieve_.size() > 0; ++tries) {
    evict_for(deps_.policy.max_entries - sieve_.size() + 1 + static_cast<std::size_t>(tries), now);
    stored = deps_.cache.put(key, entry);
  }
  if (stored == Stored::kFull) stored = put_among_neighbors(key, entry);
  if (stored == Stored::kStored) {
    sieve_.put(key, entry.fresh_until + deps_.policy.ttl.stale_if_error);
    return;
  }
  ++deps_.counters.not_cached;
  erase(key);
}

// A large entry needs pages of its own. Victims from all over the store leave holes in many pages;
// the entries with the next keys share pages, which become free.
Stored VerdictCache::put_among_neighbors(const TokenKey& key, const Entry& entry) {
  constexpr std::size_t kSmallEntry = 512;  // bytes in the store
  const std::size_t wanted = 8 + entry.claims.size() / kSmallEntry;
  std::vector<TokenKey> neighbors;
  const auto collect = [&](const TokenKey& one, const Entry&) { neighbors.push_back(one); };
  deps_.cache.scan(key, wanted, collect);
  if (neighbors.size() < wanted) deps_.cache.scan(std::nullopt, wanted - neighbors.size(), collect);
  if (neighbors.empty()) return Stored::kFull;
  for (const TokenKey& one : neighbors) {
    if (one == key) continue;
    memory_.erase(one);
    sieve_.erase(one);
    deps_.cache.erase(one);
    ++deps_.counters.evictions;
  }
  return deps_.cache.put(key, entry);
}

void VerdictCache::erase(const TokenKey& key) {
  deps_.publisher.withdraw(key);
  memory_.erase(key);
  sieve_.erase(key);
  deps_.cache.erase(key);
}

void VerdictCache::evict_for(std::size_t room, const Now& now) {
  while (sieve_.size() + room > deps_.policy.max_entries) {
    const std::optional<TokenKey> victim = sieve_.evict(now.boot);
    if (!victim) return;
    memory_.erase(*victim);
    deps_.cache.erase(*victim);
    ++deps_.counters.evictions;
  }
}

std::optional<TokenKey> VerdictCache::scan(
    const std::optional<TokenKey>& after, std::size_t most,
    const std::function<void(const TokenKey&, const Entry&)>& visit) {
  return deps_.cache.scan(after, most, [&](const TokenKey& key, const Entry& entry) {
    if (sieve_.holds(key)) visit(key, entry);
  });
}

void VerdictCache::policy_changed(const Policy& before) {
  negative_.set_ttl(deps_.policy.negative_ttl);
  if (deps_.policy.ttl == before.ttl && deps_.policy.lease == before.lease) return;
  // Published leases follow the old policy, and the in-memory cache holds their renewal times.
  leases_.set_policy(deps_.policy.ttl, deps_.policy.lease);
  deps_.publisher.withdraw_all();
  memory_.clear();
}

void VerdictCache::sweep(const Now& now) {
  negative_.expire(now.boot);
  if (!next_sweep_ || *next_sweep_ > now.boot) return;
  memory_.sweep(now);
  next_sweep_.reset();
  if (!memory_.empty()) next_sweep_ = now.boot + kSweepInterval;
}

}  // namespace claimsd::claims
