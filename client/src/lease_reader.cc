#include "client/src/lease_reader.h"

#include <cstring>

namespace claimsd::client {
namespace {

constexpr int kTries = 4;

LeaseTerms terms_of(const proto::SlotCopy& slot) {
  return {.epoch = slot.words[proto::kSlotEpoch],
          .confirmed_at = slot.words[proto::kSlotConfirmedAt],
          .lease_end = slot.words[proto::kSlotLeaseEnd],
          .hard_end = slot.words[proto::kSlotHardEnd]};
}

// A cheap check that avoids copying another token's slot. The copy is checked again.
bool may_be(const proto::MapWord* slot, const proto::SlotSecret& secret) {
  return slot[proto::kSlotIndex].load(std::memory_order_relaxed) == secret.index[0] &&
         slot[proto::kSlotIndex + 1].load(std::memory_order_relaxed) == secret.index[1];
}

bool is_of(const proto::SlotCopy& slot, const proto::SlotSecret& secret) {
  return slot.words[proto::kSlotIndex] == secret.index[0] &&
         slot.words[proto::kSlotIndex + 1] == secret.index[1];
}

bool copy_in_a_few_tries(const proto::MapWord* slot, proto::SlotCopy& copy) {
  for (int i = 0; i < kTries; ++i) {
    if (copy_slot(slot, copy)) return true;
  }
  return false;
}

}  // namespace

FoundLease::~FoundLease() {
  explicit_bzero(claims, claims_size);
}

// Every word is loaded with acquire, so that the second read of the sequence comes last. Equivalent
// to Boehm's fence, and ThreadSanitizer understands it.
bool copy_slot(const proto::MapWord* slot, proto::SlotCopy& copy) {
  const auto read = [&](std::size_t from, std::size_t to) {
    for (std::size_t i = from; i < to; ++i) copy.words[i] = slot[i].load(std::memory_order_acquire);
  };
  read(0, proto::kSlotCiphertext);
  const std::uint64_t sequence = copy.words[proto::kSlotSequence];
  const std::size_t size = copy.meta().size;
  if ((sequence & 1) != 0 || size == 0 || size > proto::kMaxSlotClaims) return false;
  read(proto::kSlotCiphertext,
       proto::kSlotCiphertext + proto::sealed_size(size) / sizeof(std::uint64_t));
  return slot[proto::kSlotSequence].load(std::memory_order_acquire) == sequence;
}

bool find_lease(const MapView& map, proto::Sealer& sealer, std::string_view token,
                const Moment& moment, std::uint32_t max_age_ms, FoundLease& found) {
  proto::SlotSecret secret;
  if (!sealer.derive(map.id, map.upstream, token, secret)) return false;
  const std::uint64_t first = proto::first_slot_of(secret.index[0], map.slot_count);
  for (std::uint64_t way = 0; way < proto::kWays; ++way) {
    const proto::MapWord* const slot = map.slot(first + way);
    if (!may_be(slot, secret)) continue;
    proto::SlotCopy copy;
    if (!copy_in_a_few_tries(slot, copy) || !is_of(copy, secret)) continue;
    found.terms = terms_of(copy);
    const std::uint64_t epoch = map.header->epoch.load(std::memory_order_acquire);
    if (copy.meta().upstream != map.upstream || !in_force(found.terms, epoch, moment, max_age_ms)) {
      continue;
    }
    found.claims_size = sealer.unseal(secret, copy, found.claims);
    if (found.claims_size == 0) continue;
    found.flags = copy.meta().flags;
    found.sequence_word = slot + proto::kSlotSequence;
    found.sequence = copy.words[proto::kSlotSequence];
    return true;
  }
  return false;
}

}  // namespace claimsd::client
