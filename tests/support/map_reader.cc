#include "tests/support/map_reader.h"

#include <array>

namespace claimsd::testing {

using namespace proto;

namespace {

constexpr int kTries = 4;

template <class Time>
std::uint64_t ns_of(Time time) {
  return static_cast<std::uint64_t>(time.time_since_epoch().count());
}

}  // namespace

std::optional<SlotCopy> MapReader::copy(std::uint64_t slot) {
  const MapWord* const words = slots_ + slot * kSlotWords;
  for (int tries = 0; tries < kTries; ++tries) {
    SlotCopy copied;
    copied.words[kSlotSequence] = words[kSlotSequence].load(std::memory_order_acquire);
    for (std::size_t at = kSlotSequence + 1; at < kSlotWords; ++at)
      copied.words[at] = words[at].load(std::memory_order_relaxed);
    std::atomic_thread_fence(std::memory_order_acquire);
    const std::uint64_t after = words[kSlotSequence].load(std::memory_order_relaxed);
    if (after == copied.words[kSlotSequence] && after % 2 == 0) return copied;
    ++torn_;
  }
  return std::nullopt;
}

std::optional<std::uint64_t> MapReader::slot_of(std::uint16_t upstream, std::string_view token) {
  SlotSecret secret;
  if (!open_ || !sealer_.derive(header_->map_id, upstream, token, secret)) return std::nullopt;
  const std::uint64_t first = first_slot_of(secret.index[0], header_->slot_count);
  for (std::uint64_t at = first; at < first + kWays; ++at) {
    const std::optional<SlotCopy> slot = copy(at);
    if (slot && slot->words[kSlotIndex] == secret.index[0] &&
        slot->words[kSlotIndex + 1] == secret.index[1]) {
      return at;
    }
  }
  return std::nullopt;
}

bool MapReader::is_believed(const SlotCopy& slot, std::uint16_t upstream, const Now& now) const {
  const std::uint64_t heartbeat = header_->heartbeat.load(std::memory_order_acquire);
  return heartbeat != 0 && ns_of(now.boot) - heartbeat <= kHeartbeatLimit &&
         slot.words[kSlotEpoch] == header_->epoch.load(std::memory_order_acquire) &&
         slot.meta().upstream == upstream && slot.words[kSlotLeaseEnd] > ns_of(now.boot) &&
         (slot.words[kSlotHardEnd] == kNoHardEnd || slot.words[kSlotHardEnd] > ns_of(now.wall));
}

std::optional<std::string> MapReader::find(std::uint16_t upstream, std::string_view token,
                                           const Now& now) {
  SlotSecret secret;
  if (!open_ || !sealer_.derive(header_->map_id, upstream, token, secret)) return std::nullopt;
  const std::uint64_t first = first_slot_of(secret.index[0], header_->slot_count);
  for (std::uint64_t at = first; at < first + kWays; ++at) {
    const std::optional<SlotCopy> slot = copy(at);
    if (!slot || slot->words[kSlotIndex] != secret.index[0] ||
        slot->words[kSlotIndex + 1] != secret.index[1] || !is_believed(*slot, upstream, now)) {
      continue;
    }
    std::array<char, kMaxSlotClaims> claims;
    const std::size_t size = sealer_.unseal(secret, *slot, claims.data());
    if (size != 0) return std::string(claims.data(), size);
  }
  return std::nullopt;
}

}  // namespace claimsd::testing
