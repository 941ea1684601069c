#include "daemon/shm/slot_directory.h"

#include <algorithm>
#include <cstring>

#include "daemon/claims/parse/token_name.h"

namespace claimsd::shm {
namespace {

std::uint64_t bits_of(const claims::TokenKey& key) {
  return claims::TokenKeyHash()(key);
}

// The finalizer of MurmurHash3.
std::uint64_t mix(std::uint64_t hash) {
  hash = (hash ^ (hash >> 33)) * 0xff51'afd7'ed55'8ccd;
  hash = (hash ^ (hash >> 33)) * 0xc4ce'b9fe'1a85'ec53;
  return hash ^ (hash >> 33);
}

}  // namespace

SlotDirectory::SlotDirectory(std::size_t slots, Random& random,
                             claims::Fingerprinter* fingerprinter)
    : fingerprinter_(fingerprinter),
      published_(slots),
      used_(slots),
      by_key_(slots),
      by_name_(slots),
      by_user_(slots) {
  random.fill(&seed_, sizeof seed_);
}

std::optional<SlotNumber> SlotDirectory::find(const claims::TokenKey& key) const {
  for (auto at = by_key_.first(bits_of(key)); at != SlotChains::kNone; at = by_key_.next(at)) {
    if (published_[at].key == key) return at;
  }
  return std::nullopt;
}

void SlotDirectory::put(SlotNumber slot, const Published& published) {
  erase(slot);
  published_[slot] = published;
  used_[slot] = true;
  ++used_count_;
  by_key_.add(slot, bits_of(published.key));
  by_name_.add(slot, published.name);
  by_user_.add(slot, published.user);
}

void SlotDirectory::erase(SlotNumber slot) {
  if (!used_[slot]) return;
  by_key_.remove(slot, bits_of(published_[slot].key));
  by_name_.remove(slot, published_[slot].name);
  by_user_.remove(slot, published_[slot].user);
  published_[slot] = {};
  used_[slot] = false;
  --used_count_;
}

void SlotDirectory::clear() {
  by_key_.clear();
  by_name_.clear();
  by_user_.clear();
  std::fill(used_.begin(), used_.end(), false);
  used_count_ = 0;
}

std::optional<SlotNumber> SlotDirectory::find_name(std::uint64_t name) const {
  for (auto at = by_name_.first(name); at != SlotChains::kNone; at = by_name_.next(at)) {
    if (published_[at].name == name) return at;
  }
  return std::nullopt;
}

std::optional<SlotNumber> SlotDirectory::find_user(std::uint64_t user) const {
  for (auto at = by_user_.first(user); at != SlotChains::kNone; at = by_user_.next(at)) {
    if (published_[at].user == user) return at;
  }
  return std::nullopt;
}

std::uint64_t SlotDirectory::name_hash(std::string_view token) const {
  constexpr std::uint64_t kNoUpstream = 0x1'0000;
  const claims::TokenName name(token);
  if (fingerprinter_ != nullptr) return bits_of(fingerprinter_->of_token(name.text()));
  return hash_of(kNoUpstream, name.text());
}

std::uint64_t SlotDirectory::user_hash(claims::UpstreamId upstream, std::string_view user) const {
  if (fingerprinter_ != nullptr) return bits_of(fingerprinter_->of_user(upstream, user));
  return hash_of(upstream, user);
}

std::optional<std::uint64_t> SlotDirectory::hash_of(const claims::Fingerprint& fingerprint) const {
  if (fingerprinter_ == nullptr) return std::nullopt;
  return bits_of(fingerprint);
}

std::uint64_t SlotDirectory::hash_of(std::uint64_t context, std::string_view text) const {
  std::uint64_t hash = mix(seed_ ^ context) ^ text.size();
  for (std::size_t at = 0; at < text.size(); at += sizeof hash) {
    std::uint64_t word = 0;
    std::memcpy(&word, text.data() + at, std::min(sizeof word, text.size() - at));
    hash = mix(hash ^ word) + seed_;
  }
  return mix(hash);
}

}  // namespace claimsd::shm
