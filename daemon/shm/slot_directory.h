// slot_directory.h: what each slot of the map shows, as the daemon remembers it: for which token
// (by its key, never itself), which user (by a keyed hash), until when.
//
// The map itself cannot tell: it is sealed. Kept for exactly as long as the slot shows it, whatever
// the cache has evicted in the meantime, so that a revocation finds every lease. Memory is taken
// once: some 80 bytes a slot. Loop thread.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "daemon/base/random.h"
#include "daemon/claims/ports.h"
#include "daemon/shm/slot_chains.h"

namespace claimsd::daemon {

using SlotNumber = std::uint32_t;

class SlotDirectory {
 public:
  struct Shown {
    TokenKey key;
    std::uint64_t user = 0;  // user_hash()
    LeaseEnd end;
  };

  // `slots`: a power of two.
  SlotDirectory(std::size_t slots, Random& random);

  std::optional<SlotNumber> find(const TokenKey& key) const;
  // Null: the slot is empty.
  const Shown* at(SlotNumber slot) const { return used_[slot] ? &shown_[slot] : nullptr; }
  // The slot's new contents; what it showed before is forgotten.
  void put(SlotNumber slot, const Shown& shown);
  void erase(SlotNumber slot);
  void clear();
  // A slot that shows something of this user; none when there is no further one.
  std::optional<SlotNumber> find_user(std::uint64_t user) const;

  std::size_t used() const { return used_count_; }
  std::size_t slots() const { return shown_.size(); }

  // Names a user without holding the name. Two users may share one: then a revocation of the one
  // withdraws the other's leases as well, which costs them a question.
  std::uint64_t user_hash(UpstreamId upstream, std::string_view user) const;

 private:
  std::uint64_t seed_ = 0;
  std::vector<Shown> shown_;
  std::vector<bool> used_;
  std::size_t used_count_ = 0;
  SlotChains by_key_;
  SlotChains by_user_;
};

// Has the lease ended by either clock?
inline bool has_ended(const LeaseEnd& end, const Now& now) {
  return end.lease <= now.boot || end.hard <= now.wall;
}

}  // namespace claimsd::daemon
