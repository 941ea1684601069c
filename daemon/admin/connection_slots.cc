#include "daemon/admin/connection_slots.h"

#include <algorithm>

namespace claimsd::admin {

template <class Matches>
std::optional<ConnectionSlots::Id> ConnectionSlots::displace(Matches&& matches) {
  const auto found = std::find_if(taken_.begin(), taken_.end(), [&](const Slot& slot) {
    return !slot.has_request && matches(slot);
  });
  if (found == taken_.end()) return std::nullopt;
  const Id id = found->id;
  taken_.erase(found);
  return id;
}

template <class Matches>
std::size_t ConnectionSlots::count(Matches&& matches) const {
  return static_cast<std::size_t>(std::count_if(taken_.begin(), taken_.end(), matches));
}

ConnectionSlots::Entry ConnectionSlots::enter(Id id, std::uint32_t uid) {
  const auto ordinary = [](const Slot& slot) { return !slot.action_only; };
  const auto own = [&](const Slot& slot) {
    return !slot.action_only && slot.uid == uid && uid != kNoUid;
  };
  const auto for_actions = [](const Slot& slot) { return slot.action_only; };
  Entry entry{.admitted = true};
  bool action_only = false;
  if (count(own) >= limits_.per_uid) {
    entry.displaced = displace(own);
    action_only = !entry.displaced;
  } else if (count(ordinary) >= limits_.connections) {
    entry.displaced = displace(ordinary);
    action_only = !entry.displaced;
  }
  if (action_only && count(for_actions) >= limits_.actions) {
    entry.displaced = displace(for_actions);
    if (!entry.displaced) return {};
  }
  taken_.push_back({.id = id, .uid = uid, .action_only = action_only});
  return entry;
}

bool ConnectionSlots::begin_request(Id id, bool is_action) {
  const auto found =
      std::find_if(taken_.begin(), taken_.end(), [&](const Slot& slot) { return slot.id == id; });
  if (found == taken_.end()) return false;
  found->has_request = true;
  return is_action || !found->action_only;
}

void ConnectionSlots::leave(Id id) {
  std::erase_if(taken_, [&](const Slot& slot) { return slot.id == id; });
}

}  // namespace claimsd::admin
