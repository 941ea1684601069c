// sealed_memory_cache.h: an in-memory copy of the claims cache's small values, sealed as in the file. With
// a million entries, a lookup in LMDB's tree touches about ten scattered 4 KiB pages, a fifth of
// the cost of a hit over the socket. Here it touches two places, on huge pages.
//
// Only a copy: every write to or erasure from the file must be repeated here. Size is bounded: a
// value that is too large or finds no free slot is read from the file. Slots have a fixed size to
// avoid fragmentation. A freed slot keeps its sealed bytes until reuse, like a page of the file.
// Loop thread.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "daemon/base/huge_pages.h"
#include "daemon/claims/cache/key_index.h"
#include "daemon/claims/parse/token.h"

namespace claimsd::store {

class SealedMemoryCache {
 public:
  static constexpr std::size_t kSlotSize = 512;
  // Size of a value: about 400 bytes of claims.
  static constexpr std::size_t kMaxValue =
      kSlotSize - sizeof(claims::TokenKey) - sizeof(std::uint16_t);

  // `max_bytes` limits the total size of slots.
  explicit SealedMemoryCache(std::size_t max_bytes) : max_slots_(max_bytes / kSlotSize) {}

  // Empty if not present. Valid until the next put, erase or clear.
  std::string_view find(const claims::TokenKey& key) const;
  // Replaces the value of `key`. If the new value does not fit, the old one is still removed.
  void put(const claims::TokenKey& key, std::string_view value);
  void erase(const claims::TokenKey& key);
  // Also releases the memory.
  void clear();
  std::size_t size() const { return index_.size(); }

 private:
  struct Slot {
    claims::TokenKey key;
    std::uint16_t size;
    std::array<char, kMaxValue> value;
  };
  static_assert(sizeof(Slot) == kSlotSize);

  static constexpr std::size_t kChunkSlots = (std::size_t{2} << 20) / kSlotSize;  // a huge page
  struct FreeChunk {
    void operator()(Slot* chunk) const { HugePageAllocator<Slot>().deallocate(chunk, kChunkSlots); }
  };

  Slot& at(std::uint32_t number) const {
    return chunks_[number / kChunkSlots].get()[number % kChunkSlots];
  }
  auto key_at() const {
    return [this](std::uint32_t number) -> const claims::TokenKey& { return at(number).key; };
  }
  std::uint32_t take_slot();

  std::size_t max_slots_;
  claims::KeyIndex index_;
  std::vector<std::unique_ptr<Slot, FreeChunk>> chunks_;
  std::uint32_t used_ = 0;           // number of slots used at least once, from the first
  std::vector<std::uint32_t> free_;  // released slots, to be reused
};

}  // namespace claimsd::store
