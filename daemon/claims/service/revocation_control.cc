#include "daemon/claims/service/revocation_control.h"

#include <algorithm>
#include <utility>

#include "daemon/claims/parse/jwt_parser.h"
#include "daemon/claims/parse/token_name.h"
#include "proto/limits.h"

namespace claimsd::claims {

using proto::Reason;

namespace {

// How often to look for expired rules.
constexpr Duration kExpiryInterval = std::chrono::minutes(1);

bool is_user(std::string_view who) {
  return !who.empty() && who.size() <= proto::kMaxId;
}

ActionOutcome check(const AdminAction& action) {
  if (action.subject == Subject::kToken && check_token(action.who) != Reason::kOk)
    return ActionOutcome::kNoToken;
  if (action.subject == Subject::kUser && !is_user(action.who)) return ActionOutcome::kNoUser;
  return ActionOutcome::kDone;
}

}  // namespace

template <class Visit>
void RevocationControl::each_upstream(const AdminAction& action, Visit&& visit) {
  for (std::size_t at = 0; at < deps_.policy.upstreams.size(); ++at) {
    const auto upstream = static_cast<UpstreamId>(at);
    if (!action.upstream || *action.upstream == upstream) visit(upstream);
  }
}

void RevocationControl::purge(const AdminAction& action, ActionDone done) {
  const ActionOutcome outcome = check(action);
  if (outcome != ActionOutcome::kDone) return done({.outcome = outcome});
  ++deps_.counters.purges;
  const Now now = deps_.clock.now();
  switch (action.subject) {
    case Subject::kToken:
      purge_token(action);
      return keep({}, {.made_at = now.wall}, std::move(done));
    case Subject::kUser: return purge_user(action, now, std::move(done));
    case Subject::kAllUsers: return purge_all_users(action, now, std::move(done));
  }
}

// Instead of searching the store, a rule makes all confirmations from before now void.
void RevocationControl::purge_user(const AdminAction& action, const Now& now, ActionDone done) {
  RevocationChange change;
  each_upstream(action, [&](UpstreamId upstream) {
    change.rules.push_back(
        purge_rule({RuleKind::kPurgeUser, deps_.fingerprinter.of_user(upstream, action.who)}, now));
  });
  // No room for another rule: purging all users includes this one.
  if (!add_rules(action, now, change)) return purge_all_users(action, now, std::move(done));
  deps_.upstreams.close_in_flight();
  each_upstream(action,
                [&](UpstreamId upstream) { deps_.publisher.withdraw_user(upstream, action.who); });
  keep(std::move(change), {.made_at = now.wall}, std::move(done));
}

void RevocationControl::purge_all_users(const AdminAction& action, const Now& now,
                                        ActionDone done) {
  RevocationChange change{.rules = {purge_rule({RuleKind::kPurgeAllUsers, {}}, now)}};
  // Fails only while revocations of all users use up the reserve.
  if (!add_rules(action, now, change)) return done({.outcome = ActionOutcome::kFull});
  deps_.upstreams.close_in_flight();
  deps_.cache.negative().clear();
  deps_.publisher.withdraw_all();
  keep(std::move(change), {.made_at = now.wall}, std::move(done));
}

Rule RevocationControl::purge_rule(const RuleName& name, const Now& now) const {
  return {.name = name,
          .ends = end_after(now, deps_.guard.policy().purge_window),
          .purged_until = now.boot};
}

void RevocationControl::revoke(const AdminAction& action, ActionDone done) {
  const ActionOutcome outcome = check(action);
  if (outcome != ActionOutcome::kDone) return done({.outcome = outcome});
  const Now now = deps_.clock.now();
  RevocationChange change{.rules = rules_for(action, now)};
  if (!add_rules(action, now, change)) return done({.outcome = ActionOutcome::kFull});
  ++deps_.counters.revocations;
  ActionResult result{.made_at = action.time.value_or(now.wall)};
  switch (action.subject) {
    case Subject::kToken:
      result.known = knows(action, now);
      result.other_spellings = !TokenName(action.who).covers_all_spellings();
      purge_token(action);
      if (deps_.publisher.withdraw_token(action.who)) result.known = true;
      break;
    case Subject::kUser:
      each_upstream(action, [&](UpstreamId upstream) {
        deps_.publisher.withdraw_user(upstream, action.who);
      });
      break;
    case Subject::kAllUsers: deps_.publisher.withdraw_all(); break;
  }
  // With a lock, its rule is the last.
  const Rule& shown = action.lock ? change.rules.back() : change.rules.front();
  result.until = shown.ends.wall;
  keep(std::move(change), result, std::move(done));
}

void RevocationControl::unrevoke(const ActionId& action, std::optional<std::uint32_t> actor_uid,
                                 ActionDone done) {
  const Now now = deps_.clock.now();
  Withdrawal made;
  switch (deps_.guard.rules().withdraw(action, actor_uid.value_or(kUnknownActor), now, made,
                                       deps_.guard.policy().author)) {
    case WithdrawOutcome::kUnknown: return done({.outcome = ActionOutcome::kUnknownAction});
    case WithdrawOutcome::kEarlier: return done({.outcome = ActionOutcome::kWithdrawnEarlier});
    case WithdrawOutcome::kNoEffect: return done({.outcome = ActionOutcome::kNotWithdrawable});
    case WithdrawOutcome::kDone: break;
  }
  ++deps_.counters.withdrawals;
  deps_.cache.negative().erase_revoked();
  keep({.withdrawals = {made}}, {.id = action, .made_at = now.wall}, std::move(done));
}

std::vector<Rule> RevocationControl::rules_for(const AdminAction& action, const Now& now) {
  const RevocationPolicy& policy = deps_.guard.policy();
  const Duration length = action.length.value_or(policy.without_iat);
  std::vector<Rule> rules;
  if (action.subject == Subject::kToken) {
    Rule rule{.name = {RuleKind::kToken, deps_.guard.fingerprint_of(action.who)},
              .ends = end_after(now, length + policy.margin)};
    const WallTime expires_at = read_jwt_times(action.who).rejected_after();
    if (expires_at != WallTime::max()) {
      const Duration left = std::max(Duration(0), expires_at - now.wall);
      rule.ends = end_after(now, left + deps_.policy.ttl.clock_skew + policy.margin);
    }
    rules.push_back(rule);
    return rules;
  }
  const auto issued_before_now = [&](RuleKind kind, const Fingerprint& subject) {
    rules.push_back({.name = {kind, subject},
                     .ends = end_after(now, std::max(policy.keep, length) + policy.margin),
                     .not_before = action.time.value_or(now.wall),
                     .without_iat_ends = end_after(now, length + policy.margin)});
  };
  if (action.subject == Subject::kAllUsers) {
    issued_before_now(RuleKind::kAllUsers, {});
    return rules;
  }
  each_upstream(action, [&](UpstreamId upstream) {
    const Fingerprint user = deps_.fingerprinter.of_user(upstream, action.who);
    issued_before_now(RuleKind::kUser, user);
    if (!action.lock) return;
    rules.push_back({.name = {RuleKind::kLock, user}, .ends = end_after(now, length)});
  });
  return rules;
}

// Makes the rules of the change one action, and puts them into effect.
bool RevocationControl::add_rules(const AdminAction& action, const Now& now,
                                  RevocationChange& change) {
  ActionId id;
  deps_.random.fill(id.bytes.data(), id.bytes.size());
  std::uint8_t part = 0;
  for (Rule& rule : change.rules) {
    rule.key = {id, part++};
    rule.made_at = now;
    rule.actor_uid = action.actor_uid.value_or(kUnknownActor);
    rule.author = deps_.guard.policy().author;
  }
  return put_into_effect(change, now);
}

// False: there is no room, even without what has ended.
bool RevocationControl::put_into_effect(RevocationChange& change, const Now& now) {
  auto replaced = deps_.guard.rules().add(change.rules);
  if (!replaced) {
    drop_expired(now);
    replaced = deps_.guard.rules().add(change.rules);
  }
  if (!replaced) return false;
  change.ended_rules = std::move(*replaced);
  return true;
}

void RevocationControl::keep(RevocationChange change, ActionResult result, ActionDone done) {
  if (!change.rules.empty()) result.id = change.rules.front().key.action;
  deps_.revocation_log.write(std::move(change),
                             [result, done = std::move(done)](bool durable) mutable {
                               result.durable = durable;
                               done(result);
                             });
}

bool RevocationControl::apply(const std::vector<Rule>& rules, RevocationLog::Done done) {
  RevocationChange change{.rules = rules};
  // A purge may arrive after a later one, which it must not shorten.
  for (Rule& rule : change.rules) {
    const Rule* const later =
        is_purge(rule.name.kind) ? deps_.guard.rules().find(rule.name) : nullptr;
    if (later == nullptr) continue;
    rule.purged_until = std::max(rule.purged_until, later->purged_until);
    rule.ends = {std::max(rule.ends.wall, later->ends.wall),
                 std::max(rule.ends.boot, later->ends.boot)};
  }
  if (!put_into_effect(change, deps_.clock.now())) return false;
  for (const Rule& rule : rules) withdraw_leases(rule.name);
  // A flight may be for a token that was revoked or purged.
  deps_.upstreams.close_in_flight();
  deps_.revocation_log.write(std::move(change), std::move(done));
  return true;
}

void RevocationControl::withdraw_leases(const RuleName& name) {
  switch (name.kind) {
    case RuleKind::kToken: return deps_.publisher.withdraw_token_named(name.subject);
    case RuleKind::kUser:
    case RuleKind::kLock:
    case RuleKind::kPurgeUser: return deps_.publisher.withdraw_user_named(name.subject);
    case RuleKind::kAllUsers: return deps_.publisher.withdraw_all();
    case RuleKind::kPurgeAllUsers:
      deps_.cache.negative().clear();
      return deps_.publisher.withdraw_all();
  }
}

bool RevocationControl::apply(const Withdrawal& withdrawal, RevocationLog::Done done) {
  deps_.guard.rules().restore(withdrawal);
  deps_.cache.negative().erase_revoked();
  deps_.revocation_log.write({.withdrawals = {withdrawal}}, std::move(done));
  return true;
}

void RevocationControl::restore(const std::vector<Rule>& rules,
                                const std::vector<Withdrawal>& withdrawals) {
  for (const Rule& rule : rules) deps_.guard.rules().restore(rule);
  for (const Withdrawal& withdrawal : withdrawals) deps_.guard.rules().restore(withdrawal);
}

void RevocationControl::expire(const Now& now) {
  if (next_expiry_ <= now.boot) drop_expired(now);
}

void RevocationControl::drop_expired(const Now& now) {
  next_expiry_ = now.boot + kExpiryInterval;
  RevocationChange ended = deps_.guard.rules().expire(now);
  if (ended.empty()) return;
  next_expiry_ = now.boot;  // more may have expired
  deps_.revocation_log.write(std::move(ended), {});
}

// Whether anything is known about this spelling of the token.
bool RevocationControl::knows(const AdminAction& action, const Now& now) {
  bool known = false;
  each_upstream(action, [&](UpstreamId upstream) {
    const TokenKey key = deps_.keyer.key_of(upstream, action.who);
    known |= deps_.cache.holds(key) || deps_.upstreams.in_flight(key) ||
             deps_.cache.negative().find(key, now.boot).has_value();
  });
  return known;
}

// Later queries see neither cached state of this token nor the result of a flight in progress.
void RevocationControl::purge_token(const AdminAction& action) {
  each_upstream(action, [&](UpstreamId upstream) {
    const TokenKey key = deps_.keyer.key_of(upstream, action.who);
    deps_.cache.erase(key);
    deps_.cache.negative().erase(key);
    deps_.upstreams.close(key);
  });
}

}  // namespace claimsd::claims
