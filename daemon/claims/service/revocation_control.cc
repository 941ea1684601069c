#include "daemon/claims/service/revocation_control.h"

#include <utility>

#include "daemon/claims/parse/jwt_parser.h"
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
      return deps_.revocation_log.keep(
          {}, [done = std::move(done)](bool durable) { done({.durable = durable, .until = {}}); });
    case Subject::kUser: return purge_user(action, now, std::move(done));
    case Subject::kAllUsers: return purge_all_users(now, std::move(done));
  }
}

// Instead of searching the store, a rule makes all confirmations from before now void.
void RevocationControl::purge_user(const AdminAction& action, const Now& now, ActionDone done) {
  std::vector<Rule> rules;
  each_upstream(action, [&](UpstreamId upstream) {
    rules.push_back(
        {.name = {RuleKind::kPurgeUser, deps_.fingerprinter.of_user(upstream, action.who)},
         .made_at = now,
         .ends = end_after(now, deps_.guard.policy().purge_window),
         .purged_until = now.boot});
  });
  // No room for another rule: purging all users includes this one.
  if (!add_rules(rules, now)) return purge_all_users(now, std::move(done));
  deps_.upstreams.close_in_flight();
  each_upstream(action,
                [&](UpstreamId upstream) { deps_.publisher.withdraw_user(upstream, action.who); });
  keep_rules(rules, std::nullopt, std::move(done));
}

void RevocationControl::purge_all_users(const Now& now, ActionDone done) {
  const std::vector<Rule> rules{{.name = {RuleKind::kPurgeAllUsers, {}},
                                 .made_at = now,
                                 .ends = end_after(now, deps_.guard.policy().purge_window),
                                 .purged_until = now.boot}};
  add_rules(rules, now);
  deps_.upstreams.close_in_flight();
  deps_.cache.negative().clear();
  deps_.publisher.withdraw_all();
  keep_rules(rules, std::nullopt, std::move(done));
}

void RevocationControl::revoke(const AdminAction& action, ActionDone done) {
  const ActionOutcome outcome = check(action);
  if (outcome != ActionOutcome::kDone) return done({.outcome = outcome});
  const Now now = deps_.clock.now();
  const std::vector<Rule> rules = rules_for(action, now);
  if (!add_rules(rules, now)) return done({.outcome = ActionOutcome::kFull});
  ++deps_.counters.revocations;
  switch (action.subject) {
    case Subject::kToken: purge_token(action); break;
    case Subject::kUser:
      each_upstream(action, [&](UpstreamId upstream) {
        deps_.publisher.withdraw_user(upstream, action.who);
      });
      break;
    case Subject::kAllUsers: deps_.publisher.withdraw_all(); break;
  }
  WallTime until = rules.front().ends.wall;
  keep_rules(rules, action.lock ? rules.back().ends.wall : until, std::move(done));
}

std::vector<Rule> RevocationControl::rules_for(const AdminAction& action, const Now& now) {
  const RevocationPolicy& policy = deps_.guard.policy();
  const Duration length = action.length.value_or(policy.without_iat);
  std::vector<Rule> rules;
  if (action.subject == Subject::kToken) {
    Rule rule{.name = {RuleKind::kToken, deps_.fingerprinter.of_token(action.who)},
              .made_at = now,
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
                     .made_at = now,
                     .ends = end_after(now, std::max(policy.keep, length) + policy.margin),
                     .not_before = now.wall,
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
    rules.push_back(
        {.name = {RuleKind::kLock, user}, .made_at = now, .ends = end_after(now, length)});
  });
  return rules;
}

bool RevocationControl::add_rules(const std::vector<Rule>& rules, const Now& now) {
  if (deps_.guard.rules().add(rules)) return true;
  drop_expired(now);
  return deps_.guard.rules().add(rules);
}

// Persists the rules as merged with existing ones of the same names.
void RevocationControl::keep_rules(const std::vector<Rule>& rules, std::optional<WallTime> until,
                                   ActionDone done) {
  std::vector<Rule> merged;
  for (const Rule& rule : rules) merged.push_back(*deps_.guard.rules().find(rule.name));
  deps_.revocation_log.keep(std::move(merged), [until, done = std::move(done)](bool durable) {
    done({.durable = durable, .until = until});
  });
}

void RevocationControl::restore(const std::vector<Rule>& rules) {
  for (const Rule& rule : rules) deps_.guard.rules().restore(rule);
}

void RevocationControl::expire(const Now& now) {
  if (next_expiry_ <= now.boot) drop_expired(now);
}

void RevocationControl::drop_expired(const Now& now) {
  next_expiry_ = now.boot + kExpiryInterval;
  std::vector<RuleName> ended = deps_.guard.rules().expire(now);
  // More rules may have expired.
  if (ended.size() == Revocations::kMaxSteps) next_expiry_ = now.boot;
  if (!ended.empty()) deps_.revocation_log.drop(std::move(ended));
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
