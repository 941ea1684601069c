#include "daemon/shm/slot_directory.h"

#include <algorithm>
#include <cstring>

namespace claimsd::shm {
namespace {

std::uint64_t hash_of(const claims::TokenKey& key) {
  return claims::TokenKeyHash()(key);
}

// The finalizer of MurmurHash3.
std::uint64_t mix(std::uint64_t hash) {
  hash = (hash ^ (hash >> 33)) * 0xff51'afd7'ed55'8ccd;
  hash = (hash ^ (hash >> 33)) * 0xc4ce'b9fe'1a85'ec53;
  return hash ^ (hash >> 33);
}

}  // namespace

SlotDirectory::SlotDirectory(std::size_t slots, Random& random)
    : published_(slots), used_(slots), by_key_(slots), by_user_(slots) {
  random.fill(&seed_, sizeof seed_);
}

std::optional<SlotNumber> SlotDirectory::find(const claims::TokenKey& key) const {
  for (auto at = by_key_.first(hash_of(key)); at != SlotChains::kNone; at = by_key_.next(at)) {
    if (published_[at].key == key) return at;
  }
  return std::nullopt;
}

void SlotDirectory::put(SlotNumber slot, const Published& published) {
  erase(slot);
  published_[slot] = published;
  used_[slot] = true;
  ++used_count_;
  by_key_.add(slot, hash_of(published.key));
  by_user_.add(slot, published.user);
}

void SlotDirectory::erase(SlotNumber slot) {
  if (!used_[slot]) return;
  by_key_.remove(slot, hash_of(published_[slot].key));
  by_user_.remove(slot, published_[slot].user);
  published_[slot] = {};
  used_[slot] = false;
  --used_count_;
}

void SlotDirectory::clear() {
  by_key_.clear();
  by_user_.clear();
  std::fill(used_.begin(), used_.end(), false);
  used_count_ = 0;
}

std::optional<SlotNumber> SlotDirectory::find_user(std::uint64_t user) const {
  for (auto at = by_user_.first(user); at != SlotChains::kNone; at = by_user_.next(at)) {
    if (published_[at].user == user) return at;
  }
  return std::nullopt;
}

std::uint64_t SlotDirectory::user_hash(claims::UpstreamId upstream, std::string_view user) const {
  std::uint64_t hash = mix(seed_ ^ upstream) ^ user.size();
  for (std::size_t at = 0; at < user.size(); at += sizeof hash) {
    std::uint64_t word = 0;
    std::memcpy(&word, user.data() + at, std::min(sizeof word, user.size() - at));
    hash = mix(hash ^ word) + seed_;
  }
  return mix(hash);
}

}  // namespace claimsd::shm
