// slot_directory.h: the daemon's record of what each slot of the map holds: the token (by its key),
// its name and the user (by keyed hashes) and the expiry.
//
// Needed because the map itself is sealed. An entry exists exactly as long as the slot is in use,
// even if the cache has evicted the token, so that a revocation finds every lease. All memory is
// allocated by the constructor, about 100 bytes per slot. Loop thread.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "daemon/base/random.h"
#include "daemon/claims/ports.h"
#include "daemon/claims/revocation/rule.h"
#include "daemon/shm/slot_chains.h"

namespace claimsd::shm {

using SlotNumber = std::uint32_t;

class SlotDirectory {
 public:
  struct Published {
    claims::TokenKey key;
    std::uint64_t name = 0;  // name_hash()
    std::uint64_t user = 0;  // user_hash()
    claims::LeaseEnd end;
  };

  // `slots` is a power of two. `fingerprinter`: with a fleet, leases are found by its fingerprints,
  // because another host sends nothing else. It must outlive the directory.
  SlotDirectory(std::size_t slots, Random& random, claims::Fingerprinter* fingerprinter = nullptr);

  std::optional<SlotNumber> find(const claims::TokenKey& key) const;
  // Null if the slot is empty.
  const Published* at(SlotNumber slot) const { return used_[slot] ? &published_[slot] : nullptr; }
  // Sets the slot's content, replacing any previous one.
  void put(SlotNumber slot, const Published& published);
  void erase(SlotNumber slot);
  void clear();
  // Any one slot with this name or of this user; nothing if there is none.
  std::optional<SlotNumber> find_name(std::uint64_t name) const;
  std::optional<SlotNumber> find_user(std::uint64_t user) const;

  std::size_t used() const { return used_count_; }
  std::size_t slots() const { return published_.size(); }

  // Identifies a token in any spelling. If two tokens collide, revoking one also withdraws the
  // other's leases, which costs one query.
  std::uint64_t name_hash(std::string_view token) const;
  // Identifies a user without storing the name. If two users collide, revoking one also withdraws
  // the other's leases, which costs that user one query.
  std::uint64_t user_hash(claims::UpstreamId upstream, std::string_view user) const;
  // The hash of a token or user with this fingerprint; nullopt without a fingerprinter.
  std::optional<std::uint64_t> hash_of(const claims::Fingerprint& fingerprint) const;

 private:
  std::uint64_t hash_of(std::uint64_t context, std::string_view text) const;

  claims::Fingerprinter* fingerprinter_;
  std::uint64_t seed_ = 0;
  std::vector<Published> published_;
  std::vector<bool> used_;
  std::size_t used_count_ = 0;
  SlotChains by_key_;
  SlotChains by_name_;
  SlotChains by_user_;
};

// Whether the lease has ended by either clock.
inline bool has_ended(const claims::LeaseEnd& end, const Now& now) {
  return end.lease <= now.boot || end.hard <= now.wall;
}

}  // namespace claimsd::shm
