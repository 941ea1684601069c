#include "daemon/shm/lease_publisher.h"

#include <algorithm>

#include "daemon/shm/slot_writer.h"
#include "proto/claims_block.h"

namespace claimsd::shm {
namespace {

// Every slot is checked once per minute.
constexpr std::uint64_t kBeatsOfARound = 240;

template <class Time>
std::uint64_t ns_of(Time time) {
  return static_cast<std::uint64_t>(time.time_since_epoch().count());
}
static_assert(WallTime::max().time_since_epoch().count() ==
              static_cast<std::int64_t>(proto::kNoHardEnd));

}  // namespace

LeasePublisher::LeasePublisher(MapMemory map, Clock& clock, Random& random,
                               claims::Fingerprinter* fingerprinter)
    : map_(map), clock_(clock), directory_(map.header->slot_count, random, fingerprinter) {}

Result<std::unique_ptr<LeasePublisher>> LeasePublisher::create(
    MapMemory map, Clock& clock, Random& random, claims::Fingerprinter* fingerprinter) {
  std::unique_ptr<LeasePublisher> made(new LeasePublisher(map, clock, random, fingerprinter));
  if (!made->sealer_.open()) {
    return failure(
        "cannot seal leases: libcrypto lacks SHA-256 or AES-256-GCM: activate OpenSSL's default "
        "provider");
  }
  made->heartbeat();
  return made;
}

void LeasePublisher::publish(claims::UpstreamId upstream, std::string_view token,
                             const claims::TokenKey& key, const claims::Entry& entry,
                             const claims::LeaseEnd& end) {
  const Now now = clock_.now();
  proto::SlotSecret secret;
  proto::SlotCopy slot{};
  proto::ClaimsView claims;
  if (!accepts(token, entry, end, now)) return withdraw(key);  // older claims may be out of date
  if (!proto::decode_claims(entry.claims, claims) ||
      !sealer_.derive(map_.header->map_id, upstream, token, secret) ||
      !seal(secret, upstream, entry, end, slot)) {
    ++counters_.leases_declined_failed;
    return withdraw(key);
  }
  const SlotNumber at = choose_slot(secret, key, now);
  write_slot(map_.slot(at), slot);
  directory_.put(at, {.key = key,
                      .name = directory_.name_hash(token),
                      .user = directory_.user_hash(upstream, claims.id),
                      .end = end});
}

bool LeasePublisher::accepts(std::string_view token, const claims::Entry& entry,
                             const claims::LeaseEnd& end, const Now& now) {
  if (stopped_ || has_ended(end, now)) return false;
  if (token.size() < proto::kMinPublishedToken) {
    ++counters_.leases_declined_short;
    return false;
  }
  if (entry.claims.size() > proto::kMaxSlotClaims) {
    ++counters_.leases_declined_large;
    return false;
  }
  return true;
}

bool LeasePublisher::seal(const proto::SlotSecret& secret, claims::UpstreamId upstream,
                          const claims::Entry& entry, const claims::LeaseEnd& end,
                          proto::SlotCopy& slot) {
  slot.words[proto::kSlotSequence] = 2 * ++publication_;
  slot.words[proto::kSlotIndex] = secret.index[0];
  slot.words[proto::kSlotIndex + 1] = secret.index[1];
  slot.words[proto::kSlotConfirmedAt] = ns_of(entry.confirmed_at);
  slot.words[proto::kSlotLeaseEnd] = ns_of(end.lease);
  slot.words[proto::kSlotHardEnd] = ns_of(end.hard);
  slot.words[proto::kSlotEpoch] = epoch_;
  slot.words[proto::kSlotMeta] =
      proto::pack({.size = static_cast<std::uint32_t>(entry.claims.size()),
                   .upstream = upstream,
                   .flags = entry.flags});
  return sealer_.seal(secret, entry.claims, slot);
}

SlotNumber LeasePublisher::choose_slot(const proto::SlotSecret& secret, const claims::TokenKey& key,
                                       const Now& now) {
  if (const std::optional<SlotNumber> own = directory_.find(key)) {
    ++counters_.leases_renewed;
    return *own;
  }
  ++counters_.leases_published;
  const auto first =
      static_cast<SlotNumber>(proto::first_slot_of(secret.index[0], map_.header->slot_count));
  SlotNumber chosen = first;
  for (SlotNumber at = first; at < first + proto::kWays; ++at) {
    const SlotDirectory::Published* const published = directory_.at(at);
    if (published == nullptr || has_ended(published->end, now)) return at;
    if (published->end.lease < directory_.at(chosen)->end.lease) chosen = at;
  }
  ++counters_.lease_collisions;
  return chosen;
}

BootTime LeasePublisher::published_until(const claims::TokenKey& key) const {
  const std::optional<SlotNumber> slot = directory_.find(key);
  return slot ? directory_.at(*slot)->end.lease : BootTime::min();
}

void LeasePublisher::withdraw(const claims::TokenKey& key) {
  const std::optional<SlotNumber> slot = directory_.find(key);
  if (!slot) return;
  ++counters_.leases_withdrawn;
  clear(*slot);
}

bool LeasePublisher::withdraw_token(std::string_view token) {
  return withdraw_name(directory_.name_hash(token));
}

void LeasePublisher::withdraw_token_named(const claims::TokenKey& fingerprint) {
  const std::optional<std::uint64_t> hash = directory_.hash_of(fingerprint);
  if (!hash) return withdraw_all();
  withdraw_name(*hash);
}

bool LeasePublisher::withdraw_name(std::uint64_t hash) {
  bool found = false;
  while (const std::optional<SlotNumber> slot = directory_.find_name(hash)) {
    ++counters_.leases_withdrawn;
    clear(*slot);
    found = true;
  }
  return found;
}

void LeasePublisher::withdraw_user(claims::UpstreamId upstream, std::string_view user) {
  withdraw_users(directory_.user_hash(upstream, user));
}

void LeasePublisher::withdraw_user_named(const claims::TokenKey& fingerprint) {
  const std::optional<std::uint64_t> hash = directory_.hash_of(fingerprint);
  if (!hash) return withdraw_all();
  withdraw_users(*hash);
}

void LeasePublisher::withdraw_users(std::uint64_t hash) {
  while (const std::optional<SlotNumber> slot = directory_.find_user(hash)) {
    ++counters_.leases_withdrawn;
    clear(*slot);
  }
}

void LeasePublisher::withdraw_all() {
  ++counters_.leases_withdrawn_all;
  map_.header->epoch.store(++epoch_, std::memory_order_release);
  directory_.clear();
}

// Empties the slot. The new sequence also invalidates copies in local tables.
void LeasePublisher::clear(SlotNumber slot) {
  proto::SlotCopy empty{};
  empty.words[proto::kSlotSequence] = 2 * ++publication_;
  write_slot(map_.slot(slot), empty);
  directory_.erase(slot);
}

void LeasePublisher::heartbeat() {
  if (stopped_) return;
  const Now now = clock_.now();
  map_.header->heartbeat.store(ns_of(now.boot), std::memory_order_release);
  clear_ended(now);
}

// Clears expired claims, so that they do not remain in memory.
void LeasePublisher::clear_ended(const Now& now) {
  const std::uint64_t step = std::max<std::uint64_t>(slots() / kBeatsOfARound, 1);
  for (std::uint64_t left = step; left > 0; --left) {
    if (const auto* const published = directory_.at(next_to_clear_);
        published != nullptr && has_ended(published->end, now)) {
      clear(next_to_clear_);
    }
    next_to_clear_ = next_to_clear_ + 1 == slots() ? 0 : next_to_clear_ + 1;
  }
}

void LeasePublisher::stop() {
  stopped_ = true;
  map_.header->heartbeat.store(0, std::memory_order_release);
}

}  // namespace claimsd::shm
