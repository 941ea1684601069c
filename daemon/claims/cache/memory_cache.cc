#include "daemon/claims/cache/memory_cache.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <utility>

namespace claimsd::claims {
namespace {

// Covers a JWT's signature, where tokens differ most.
constexpr std::size_t kHashedTail = 48;

std::uint64_t mix(std::uint64_t hash, std::uint64_t word) {
  hash = (hash ^ word) * 0x9e37'79b9'7f4a'7c15;
  return hash ^ (hash >> 32);
}

bool has_ended(const Entry& entry, const Now& now) {
  return entry.fresh_until <= now.boot || entry.expires_at <= now.wall;
}

}  // namespace

MemoryCache::MemoryCache(std::size_t capacity, Random& random)
    : slots_(capacity == 0 ? 0 : std::bit_ceil(std::max(capacity, kWays))),
      asked_(slots_.size() * kNotesPerSlot) {
  random.fill(&seed_, sizeof seed_);
}

std::uint64_t MemoryCache::hash_of(UpstreamId upstream, std::string_view token) const {
  std::uint64_t hash = mix(seed_ ^ upstream, token.size());
  const std::string_view tail = token.substr(token.size() - std::min(token.size(), kHashedTail));
  for (std::size_t at = 0; at < tail.size(); at += sizeof(std::uint64_t)) {
    std::uint64_t word = 0;
    std::memcpy(&word, tail.data() + at, std::min(sizeof word, tail.size() - at));
    hash = mix(hash, word);
  }
  // A final round: differences in the last bytes have not reached the low bits yet.
  return mix(hash, 0);
}

bool MemoryCache::asked_again(UpstreamId upstream, std::string_view token) {
  if (slots_.empty()) return false;
  const std::uint64_t hash = hash_of(upstream, token);
  const auto note = static_cast<std::uint32_t>(hash >> 32);
  return std::exchange(asked_[hash & (asked_.size() - 1)], note) == note;
}

const MemoryCache::Item* MemoryCache::find(UpstreamId upstream, std::string_view token) const {
  if (slots_.empty()) return nullptr;
  const std::uint64_t hash = hash_of(upstream, token);
  const std::size_t first = first_way(hash);
  for (std::size_t at = first; at < first + kWays; ++at) {
    const Slot& slot = slots_[at];
    if (slot.used && slot.hash == hash && slot.upstream == upstream && slot.token.view() == token)
      return &slot.memory_cache;
  }
  return nullptr;
}

void MemoryCache::put(UpstreamId upstream, std::string_view token, const TokenKey& key,
                      const Entry& entry, std::uint64_t vetted) {
  if (slots_.empty()) return;
  erase(key);
  if (token.size() + entry.claims.size() > kMaxItem) return;
  const std::uint64_t hash = hash_of(upstream, token);
  const std::size_t first = first_way(hash);
  // Use a free slot, or the one that expires first.
  Slot* slot = &slots_[first];
  for (std::size_t at = first; at < first + kWays && slot->used; ++at) {
    Slot& other = slots_[at];
    if (!other.used || other.memory_cache.entry.fresh_until < slot->memory_cache.entry.fresh_until)
      slot = &other;
  }
  clear(*slot);
  slot->used = true;
  slot->upstream = upstream;
  slot->hash = hash;
  slot->token = Secret(token);
  slot->claims = Secret(entry.claims);
  slot->memory_cache = Item{.key = key, .entry = entry, .vetted = vetted};
  slot->memory_cache.entry.claims = slot->claims.view();
  places_[key] = static_cast<std::size_t>(slot - slots_.data());
}

void MemoryCache::set_renewal(UpstreamId upstream, std::string_view token, BootTime at) {
  if (const Item* const memory_cache = find(upstream, token)) {
    slots_[places_.at(memory_cache->key)].memory_cache.renew_lease_at = at;
  }
}

void MemoryCache::erase(const TokenKey& key) {
  if (const auto found = places_.find(key); found != places_.end()) clear(slots_[found->second]);
}

void MemoryCache::sweep(const Now& now) {
  if (empty()) return;
  for (Slot& slot : slots_) {
    if (slot.used && has_ended(slot.memory_cache.entry, now)) clear(slot);
  }
}

void MemoryCache::clear() {
  for (Slot& slot : slots_) clear(slot);
}

void MemoryCache::clear(Slot& slot) {
  if (!slot.used) return;
  places_.erase(slot.memory_cache.key);
  slot = Slot{};
}

}  // namespace claimsd::claims
