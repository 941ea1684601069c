#include "daemon/store/sealed_memory_cache.h"

#include <cstring>

namespace claimsd::store {

std::string_view SealedMemoryCache::find(const claims::TokenKey& key) const {
  const std::uint32_t number = index_.find(key, key_at());
  if (number == claims::KeyIndex::kNone) return {};
  const Slot& slot = at(number);
  return {slot.value.data(), slot.size};
}

void SealedMemoryCache::put(const claims::TokenKey& key, std::string_view value) {
  if (value.empty() || value.size() > kMaxValue) return erase(key);
  std::uint32_t number = index_.find(key, key_at());
  const bool is_new = number == claims::KeyIndex::kNone;
  if (is_new) number = take_slot();
  if (number == claims::KeyIndex::kNone) return;
  Slot& slot = at(number);
  slot.size = static_cast<std::uint16_t>(value.size());
  std::memcpy(slot.value.data(), value.data(), value.size());
  if (!is_new) return;
  slot.key = key;
  index_.insert(number, key_at());
}

void SealedMemoryCache::erase(const claims::TokenKey& key) {
  const std::uint32_t number = index_.find(key, key_at());
  if (number == claims::KeyIndex::kNone) return;
  index_.erase(key, key_at());
  free_.push_back(number);
}

void SealedMemoryCache::clear() {
  index_ = {};
  chunks_.clear();
  used_ = 0;
  free_ = {};
}

// kNone if no slot is free.
std::uint32_t SealedMemoryCache::take_slot() {
  if (!free_.empty()) {
    const std::uint32_t number = free_.back();
    free_.pop_back();
    return number;
  }
  if (used_ == max_slots_) return claims::KeyIndex::kNone;
  if (used_ == chunks_.size() * kChunkSlots) {
    chunks_.emplace_back(HugePageAllocator<Slot>().allocate(kChunkSlots));
  }
  return used_++;
}

}  // namespace claimsd::store
