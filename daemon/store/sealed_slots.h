// sealed_slots.h: the values of the claims cache's small entries once more, in memory, as sealed as
// they are in its file. Among a million entries a walk through LMDB's tree looks at some ten places
// in memory one after the other, on pages of 4 KiB: a fifth of a hit over the socket. Here it is
// two places, on huge pages.
//
// A view of the file, never more: who writes to it or erases from it does the same here. Bounded:
// what does not fit, or finds no room, is read from the file as before. Slots of one size, so that
// nothing fragments; a slot that was freed keeps its sealed bytes until it is used again, as a page
// of the file does. Loop thread.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "daemon/base/huge_pages.h"
#include "daemon/claims/cache/key_index.h"
#include "daemon/claims/parse/token.h"

namespace claimsd::daemon {

class SealedSlots {
 public:
  static constexpr std::size_t kSlotSize = 512;
  // Of a value: some 400 bytes of claims.
  static constexpr std::size_t kMaxValue = kSlotSize - sizeof(TokenKey) - sizeof(std::uint16_t);

  // At most so many bytes of slots.
  explicit SealedSlots(std::size_t max_bytes) : max_slots_(max_bytes / kSlotSize) {}

  // Empty: it is not here. Good until the next put, erase or clear.
  std::string_view find(const TokenKey& key) const;
  // Takes the place of what was here for `key`, or, where it does not fit, leaves nothing here.
  void put(const TokenKey& key, std::string_view value);
  void erase(const TokenKey& key);
  // Gives the memory back, too.
  void clear();
  std::size_t size() const { return index_.size(); }

 private:
  struct Slot {
    TokenKey key;
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
    return [this](std::uint32_t number) -> const TokenKey& { return at(number).key; };
  }
  std::uint32_t take_slot();

  std::size_t max_slots_;
  KeyIndex index_;
  std::vector<std::unique_ptr<Slot, FreeChunk>> chunks_;
  std::uint32_t used_ = 0;           // slots that have been used, from the first on
  std::vector<std::uint32_t> free_;  // of them, those that can be again
};

}  // namespace claimsd::daemon
