#include "daemon/claims/revocation/action_list.h"

#include <algorithm>

namespace claimsd::claims {
namespace {

void add(ActionDescription& action, const Rule& rule) {
  if (rule.name.kind == RuleKind::kLock) action.kind = RuleKind::kLock;
  action.until = std::max(action.until, rule.ends.wall);
}

}  // namespace

std::optional<ActionId> list_actions(const Revocations& revocations,
                                     const std::optional<ActionId>& after, std::size_t most,
                                     const std::function<void(const ActionDescription&)>& visit) {
  std::optional<ActionDescription> current;
  std::optional<ActionId> last = after;
  std::size_t shown = 0;
  std::size_t steps = 0;
  bool more = false;
  const auto finish = [&] {
    if (!current) return;
    visit(*current);
    ++shown;
    last = current->id;
    current.reset();
  };
  revocations.each(after, [&](const Rule& rule) {
    ++steps;
    if (current && current->id == rule.key.action) {
      add(*current, rule);
      return true;
    }
    finish();
    more = shown == most || steps > kMaxListSteps;
    if (more) return false;
    last = rule.key.action;
    if (is_purge(rule.name.kind)) return true;
    current = {.id = rule.key.action,
               .kind = rule.name.kind,
               .made_at = rule.made_at.wall,
               .until = rule.ends.wall,
               .actor_uid = rule.actor_uid,
               .author = rule.author};
    if (const Withdrawal* const withdrawal = revocations.withdrawal_of(rule.key.action)) {
      current->withdrawn_at = withdrawal->made_at.wall;
      current->withdrawn_by = withdrawal->actor_uid;
    }
    return true;
  });
  finish();
  return more ? last : std::nullopt;
}

}  // namespace claimsd::claims
