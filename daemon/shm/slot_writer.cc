#include "daemon/shm/slot_writer.h"

namespace claimsd::shm {

void write_slot(proto::MapWord* slot, const proto::SlotCopy& copy) {
  const std::uint64_t sequence = copy.words[proto::kSlotSequence];
  slot[proto::kSlotSequence].store(sequence - 1, std::memory_order_relaxed);
  // A reader that sees any word below also sees the odd sequence.
  std::atomic_thread_fence(std::memory_order_release);
  for (std::size_t at = proto::kSlotSequence + 1; at < proto::kSlotWords; ++at)
    slot[at].store(copy.words[at], std::memory_order_relaxed);
  slot[proto::kSlotSequence].store(sequence, std::memory_order_release);
}

}  // namespace claimsd::shm
