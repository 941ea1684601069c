#include "daemon/claims/revocation/rule.h"

#include <algorithm>
#include <iterator>

#include "daemon/base/hex.h"

namespace claimsd::claims {
namespace {

template <class Time>
Time later_by(Time from, Duration by) {
  return by > Duration(0) && from > Time::max() - by ? Time::max() : from + by;
}

// Converts an end from another boot's clock to this one's.
RuleEnd begun_again(const RuleEnd& end, const Now& made_at, const Now& now) {
  if (end.wall == WallTime::min()) return end;
  RuleEnd again = end;
  if (end.wall == WallTime::max()) {
    again.boot = BootTime::max();
  } else {
    again.boot = later_by(now.boot, std::max(Duration(0), end.wall - made_at.wall));
  }
  return again;
}

template <class T>
void move_to(std::vector<T>& to, std::vector<T>& from) {
  to.insert(to.end(), std::make_move_iterator(from.begin()), std::make_move_iterator(from.end()));
}

}  // namespace

std::string text_of(const ActionId& id) {
  return hex_text(id.bytes);
}

std::optional<ActionId> action_id_of(std::string_view text) {
  const auto bytes = array_from_hex<sizeof(ActionId::bytes)>(text);
  return bytes ? std::optional(ActionId{*bytes}) : std::nullopt;
}

RuleEnd end_after(const Now& now, Duration length) {
  return {later_by(now.wall, length), later_by(now.boot, length)};
}

std::optional<Rule> after_reboot(const Rule& rule, const Now& now) {
  // Confirmations of another boot are not kept, so purges need not be either.
  if (is_purge(rule.name.kind)) return std::nullopt;
  Rule again = rule;
  again.ends = begun_again(rule.ends, rule.made_at, now);
  again.without_iat_ends = begun_again(rule.without_iat_ends, rule.made_at, now);
  again.made_at.boot = now.boot;
  return again;
}

// It may then end before its action does; it stays as long as a rule of that action is stored.
Withdrawal after_reboot(const Withdrawal& withdrawal, const Now& now) {
  Withdrawal again = withdrawal;
  again.ends = begun_again(withdrawal.ends, withdrawal.made_at, now);
  again.made_at.boot = now.boot;
  return again;
}

void RevocationChange::append(RevocationChange later) {
  move_to(rules, later.rules);
  move_to(withdrawals, later.withdrawals);
  move_to(ended_rules, later.ended_rules);
  move_to(ended_withdrawals, later.ended_withdrawals);
}

}  // namespace claimsd::claims
