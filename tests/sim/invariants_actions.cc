// Invariants of purges and revocations.
#include <algorithm>

#include "tests/sim/admin_actions.h"
#include "tests/sim/invariants.h"
#include "tests/sim/rules.h"

namespace claimsd::sim {

using namespace claims;
using proto::Reason;
using proto::Source;

std::string check_revoked(const Facts& facts) {
  for (const AnswerRecord& answer : facts.step().answers) {
    if (answer.reason == Reason::kOk && answer.denied) return "valid although it was revoked";
  }
  return {};
}

namespace {

bool may_be_denied(const Facts& facts, const TokenRecord& token) {
  unsigned about = 0;
  for (const ActionRecord& order : facts.records.orders) {
    if (order.denies(token, true)) return true;
    if (order.revokes && order.in_effect && !order.withdrawn && order.is_about(token)) ++about;
  }
  // Orders about the same subject are merged into one rule, which ends when both clocks have passed
  // the latest end of any. After a wall clock step, that may be later than the end of each order.
  return about > 1;
}

}  // namespace

std::string check_denied_in_time(const Facts& facts) {
  for (const AnswerRecord& answer : facts.step().decisions) {
    if (answer.reason != Reason::kRevoked) continue;
    const TokenRecord& token = facts.records.token(answer.token);
    // A revoked answer is cached for the negative TTL.
    const bool kept =
        answer.source == Source::kCache && !token.confirmations.empty() &&
        token.confirmations.back().started.boot + facts.policy.negative_ttl > facts.now().boot;
    if (!kept && !may_be_denied(facts, token)) return "revoked without a revocation";
  }
  return {};
}

std::string check_purged(const Facts& facts) {
  for (const AnswerRecord& answer : facts.step().answers) {
    const TokenRecord& token = facts.records.token(answer.token);
    const bool valid = answer.reason == Reason::kOk;
    const bool refused = answer.reason == Reason::kRejected && answer.age > Duration(0);
    if (!valid && !refused) continue;
    for (const ActionRecord& order : facts.records.orders) {
      if (!order.in_effect || answer.query < order.first_query_after) continue;
      // A rejection does not reveal the token's user.
      if (refused && order.subject == Subject::kUser) continue;
      if (order.forgets(token, facts.now().boot - answer.age)) {
        return valid ? "valid by a request from before the purge"
                     : "rejected by a request from before the purge";
      }
    }
  }
  return {};
}

std::string check_complete(const Facts& facts) {
  if (facts.records.complete) return {};
  for (const AnswerRecord& answer : facts.step().answers) {
    if (proto::verdict_of(answer.reason) == proto::Verdict::kValid) return "answered valid";
  }
  if (!facts.step().publications.empty()) return "a lease was published";
  for (const TokenRecord& token : facts.records.tokens) {
    if (token.published.now) return "a lease is still published";
  }
  return {};
}

std::string check_withdrawn(const Facts& facts) {
  if (!facts.step().order) return {};
  const ActionRecord& order = facts.records.orders[*facts.step().order];
  if (!order.in_effect) return {};
  for (const TokenRecord& token : facts.records.tokens) {
    if (token.published.now &&
        (order.denies(token) || order.forgets(token, token.published.confirmed_at))) {
      return "still published";
    }
  }
  return {};
}

}  // namespace claimsd::sim
