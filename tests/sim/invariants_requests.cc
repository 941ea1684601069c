// Invariants of waiting queries and of requests to the Auth APIs.
#include <fmt/core.h>

#include "tests/sim/admin_actions.h"
#include "tests/sim/invariants.h"
#include "tests/sim/rules.h"

namespace claimsd::sim {

using namespace claims;
using proto::Reason;
using proto::Source;

std::string check_deadline(const Facts& facts) {
  if (!facts.step().is_tick) return {};
  const auto next = facts.records.next_deadline();
  return next && *next <= facts.now().boot ? "a query is overdue after a tick" : "";
}

std::string check_wake_time(const Facts& facts) {
  const auto next = facts.records.next_deadline();
  if (!next) return {};
  const auto wake = facts.service.wake_time();
  return wake && *wake <= *next ? "" : "the wake-up time is after a deadline";
}

namespace {

// True if a purge happened between the start of the request and the query.
bool purged_between(const Facts& facts, QueryNumber query, const RequestRecord& request) {
  const TokenRecord& token = facts.records.token(request.token);
  const auto& orders = facts.records.orders;
  return std::any_of(orders.begin(), orders.end(), [&](const ActionRecord& order) {
    // The token's user is unknown until the request completes, so any such purge counts.
    const bool parts = order.subject != Subject::kToken || order.is_about(token);
    return order.in_effect && parts && query >= order.first_query_after &&
           request.first_started.boot <= order.made.boot;
  });
}

}  // namespace

std::string check_completion_answers(const Facts& facts) {
  if (!facts.step().completed) return {};
  const RequestRecord& request = facts.records.requests[*facts.step().completed];
  for (const QueryNumber number : facts.records.token(request.token).open) {
    const QueryRecord& query = facts.records.queries[number];
    if (query.step >= facts.step().number || facts.step().sent_again || query.held) continue;
    const auto& max_age = query.max_age;
    const bool too_old =
        max_age && (request.first_started.boot < query.asked.boot - *max_age ||
                    (*max_age == Duration(0) && request.first_started.boot <= query.asked.boot));
    if (!too_old && !purged_between(facts, number, request))
      return fmt::format("query {} still waits", number);
  }
  return {};
}

std::string check_hit(const Facts& facts) {
  for (const QueryNumber number : facts.step().asked) {
    const QueryRecord& query = facts.records.queries[number];
    if (!query.served_from_store) continue;
    bool hit = query.disconnected;
    for (const AnswerRecord& answer : facts.step().decisions) {
      hit |= answer.query == number &&
             (query.withheld || (answer.reason == Reason::kOk && answer.source == Source::kCache));
    }
    if (!hit) return fmt::format("query {} is not answered from the cache", number);
  }
  return {};
}

std::string check_single_flight(const Facts& facts) {
  for (const RequestNumber number : facts.step().started) {
    if (facts.records.token(facts.records.requests[number].token).in_flight > 1) {
      return "two requests in flight for one token";
    }
  }
  return {};
}

std::string check_in_flight(const Facts& facts) {
  if (facts.step().started.empty()) return {};
  for (const Records::OfUpstream& upstream : facts.records.upstreams) {
    if (upstream.in_flight > facts.policy.max_in_flight) return "too many requests in flight";
  }
  return {};
}

std::string check_request_cause(const Facts& facts) {
  for (const RequestNumber number : facts.step().started) {
    const RequestRecord& request = facts.records.requests[number];
    if (!request.waited_for && !request.refreshes && !request.checked)
      return "a request without waiters";
  }
  return {};
}

std::string check_health(const Facts& facts) {
  for (const RequestNumber number : facts.step().started) {
    const RequestRecord& request = facts.records.requests[number];
    if (!facts.step().sent_again && *request.forbidden != 0) return request.forbidden;
  }
  return {};
}

std::string check_retries(const Facts& facts) {
  if (!facts.step().sent_again) return {};
  for (const RequestNumber number : facts.step().started) {
    const RequestRecord& request = facts.records.requests[number];
    if (*request.forbidden != 0) return request.forbidden;
  }
  // The initial retry budget.
  constexpr std::uint64_t kSaved = 10;
  for (const Records::OfUpstream& upstream : facts.records.upstreams) {
    if (upstream.again > kSaved + upstream.started * facts.policy.breaker.retry_percent / 100) {
      return "more retries than the budget allows";
    }
  }
  return {};
}

std::string check_new_connection(const Facts& facts) {
  for (const RequestNumber number : facts.step().started) {
    const RequestRecord& request = facts.records.requests[number];
    const UpstreamHealth& health = facts.health[facts.records.token(request.token).upstream];
    const bool is_probe = health.state() == UpstreamHealth::State::kProbed;
    if (request.connection.reused && (facts.step().sent_again || is_probe))
      return "a probe, a retry or a check over a kept connection";
  }
  return {};
}

std::string check_doubted(const Facts& facts) {
  if (!facts.step().completed || facts.step().sent_again || facts.records.stopping) return {};
  const RequestRecord& request = facts.records.requests[*facts.step().completed];
  const UpstreamId upstream = facts.records.token(request.token).upstream;
  if (meaning_of(request.response, facts.policy.upstreams[upstream]) != Meaning::kRefuses ||
      request.checked || !was_reused(request) ||
      facts.now().boot - request.connection.made < RejectionCheck::kOldConnection)
    return {};
  const Records::OfUpstream& api = facts.records.upstreams[upstream];
  const bool is_believed = api.agreements >= RejectionCheck::kAgreements &&
                           facts.now().boot - api.last_agreement < RejectionCheck::kBelieved;
  return is_believed ? "" : "a rejection over an old connection is believed without a check";
}

std::string check_budget(const Facts& facts) {
  const Rate& rate = facts.policy.rate_limit.per_uid;
  const Records& records = facts.records;
  if (facts.step().started.empty() || rate.per_second == 0) return {};
  // With more uids than buckets, an evicted bucket starts full again.
  if (facts.uids > facts.policy.rate_limit.max_uids) return {};
  const double elapsed = static_cast<double>((facts.now().boot - records.begun).count()) / 1e9;
  const double most = (rate.burst + rate.per_second * elapsed) * facts.uids + 1;
  const std::uint64_t started = records.started - records.again();
  return static_cast<double>(started) > most ? "more requests than all rate limits together allow"
                                             : "";
}

std::string check_unusable_unasked(const Facts& facts) {
  for (const RequestNumber number : facts.step().started) {
    const TokenRecord& token = facts.records.token(facts.records.requests[number].token);
    if (token.kind == TokenKind::kMalformed || token.kind == TokenKind::kTooLong) {
      return "a malformed token is sent to an Auth API";
    }
    if (facts.step().sent_again) continue;
    // A pending token was not expired at the time of its query.
    bool was_usable = !past_exp_and_skew(token, facts.now(), facts.policy);
    for (const QueryNumber open : token.open) {
      was_usable |= !past_exp_and_skew(token, facts.records.queries[open].asked, facts.policy);
    }
    if (!was_usable) return "an expired token is sent to an Auth API";
  }
  return {};
}

std::string check_negative_spares(const Facts& facts) {
  for (const QueryNumber number : facts.step().asked) {
    const QueryRecord& query = facts.records.queries[number];
    const TokenRecord& token = facts.records.token(query.token);
    if (!token.refusal || query.max_age || query.answered || query.disconnected || query.held)
      continue;
    const Rejection& refusal = *token.refusal;
    const bool counts = refusal.instance == facts.records.instance &&
                        facts.now().boot < refusal.started + facts.policy.negative_ttl &&
                        // The oldest are evicted first; a repeated rejection counts twice.
                        facts.records.refusals - refusal.number < facts.policy.negative_entries / 2;
    const bool confirmed_since =
        !token.confirmations.empty() && token.confirmations.back().completed >= refusal.completed;
    const auto& orders = facts.records.orders;
    const bool purged = std::any_of(orders.begin(), orders.end(), [&](const ActionRecord& order) {
      // The token's user was unknown while the request was in flight, so any such purge may apply.
      const bool may_be_about = order.subject != Subject::kToken || order.is_about(token);
      return may_be_about && order.made.boot >= refusal.started;
    });
    if (counts && !confirmed_since && !purged)
      return "a token with a negative entry causes a request";
  }
  return {};
}

std::string check_stopped(const Facts& facts) {
  return facts.records.stopping && !facts.step().started.empty()
             ? "a request starts although the service is stopping"
             : "";
}

}  // namespace claimsd::sim
