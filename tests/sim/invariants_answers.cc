// Invariants of answers.
#include <fmt/core.h>

#include "proto/messages.h"
#include "tests/sim/invariants.h"
#include "tests/sim/rules.h"

namespace claimsd::sim {

using namespace claims;
using proto::Reason;
using proto::Source;
using proto::Verdict;

namespace {

bool valid(const AnswerRecord& answer) {
  return answer.reason == Reason::kOk;
}

const QueryRecord& query_of(const Facts& facts, const AnswerRecord& answer) {
  return facts.records.queries[answer.query];
}

// The request that completed in the step in which the answer was decided, if it was about the same
// token.
const RequestRecord* completed_for(const Facts& facts, const AnswerRecord& answer) {
  const auto completed =
      answer.late ? query_of(facts, answer).held->completed : facts.step().completed;
  if (!completed) return nullptr;
  const RequestRecord& request = facts.records.requests[*completed];
  return request.token == answer.token ? &request : nullptr;
}

const Confirmation* stands_on(const Facts& facts, const AnswerRecord& answer) {
  return confirmed_at(facts.records.token(answer.token), facts.now().boot - answer.age);
}

Meaning meaning(const Facts& facts, const RequestRecord& request) {
  const UpstreamId upstream = facts.records.token(request.token).upstream;
  return meaning_of(request.response, facts.policy.upstreams[upstream]);
}

}  // namespace

std::string check_ports(const Facts& facts) {
  return facts.step().broken_port;
}

std::string check_ttl(const Facts& facts) {
  for (const AnswerRecord& answer : facts.step().answers) {
    if (!valid(answer)) continue;
    const TokenRecord& token = facts.records.token(answer.token);
    const Confirmation* const confirmation = stands_on(facts, answer);
    if (confirmation == nullptr) return "valid without a confirmation of that age";
    if (past_exp_and_skew(token, facts.now(), facts.policy)) return "valid after exp + skew";
    if (answer.source == Source::kUpstream) {
      if (completed_for(facts, answer) == nullptr) return "from upstream, but no request completed";
      if (answer.late && facts.now().boot >= query_of(facts, answer).held->end)
        return "valid after its TTL, which expired while it waited for its record";
      continue;
    }
    if (confirmation->no_store) return "a no-store answer was cached";
    const bool stale = answer.source == Source::kStale;
    const BootTime end = end_of(*confirmation, facts.policy) +
                         (stale ? facts.policy.ttl.stale_if_error : Duration(0));
    if (facts.now().boot >= end) return "valid after its TTL";
    if (past_exp_less_skew(token, facts.now(), facts.policy)) return "valid after exp - skew";
  }
  return {};
}

std::string check_newer_refusal(const Facts& facts) {
  for (const AnswerRecord& answer : facts.step().answers) {
    if (!valid(answer)) continue;
    const TokenRecord& token = facts.records.token(answer.token);
    const Confirmation* const confirmation = stands_on(facts, answer);
    if (!token.refusal || confirmation == nullptr) continue;
    if (token.refusal->started > confirmation->started.boot) {
      return "valid by a request that started before the rejected one";
    }
    if (token.refusal->completed > confirmation->completed)
      return "valid by a confirmation that was rejected since";
  }
  return {};
}

std::string check_claims(const Facts& facts) {
  for (const AnswerRecord& answer : facts.step().answers) {
    if (valid(answer) != answer.has_claims)
      return "a valid answer without claims, or claims without a valid answer";
    if (!valid(answer)) continue;
    if (!answer.sound_claims) return "damaged claims";
    if (answer.user != facts.records.token(answer.token).user) return "another user's claims";
    const Confirmation* const confirmation = stands_on(facts, answer);
    if (confirmation != nullptr && confirmation->version != answer.version) {
      return "claims of another confirmation";
    }
  }
  return {};
}

std::string check_max_age(const Facts& facts) {
  for (const AnswerRecord& answer : facts.step().answers) {
    const QueryRecord& query = facts.records.queries[answer.query];
    const bool of_an_age = valid(answer) || answer.reason == Reason::kRejected;
    if (!of_an_age || !query.max_age) continue;
    // A rejection that overrides a confirmation has age 0 and is not subject to max_age.
    if (answer.reason == Reason::kRejected && answer.age == Duration(0)) continue;
    // Relative to the time of the query: a request in flight since then counts.
    const BootTime confirmed = facts.now().boot - answer.age;
    if (*query.max_age == Duration(0) && confirmed < query.asked.boot) {
      return "max_age 0, but answered by an older request";
    }
    if (confirmed < query.asked.boot - *query.max_age) return "older than max_age";
  }
  return {};
}

std::string check_provenance(const Facts& facts) {
  for (const AnswerRecord& answer : facts.step().answers) {
    const TokenRecord& token = facts.records.token(answer.token);
    const RequestRecord* const request = completed_for(facts, answer);
    if (answer.age < Duration(0) || answer.ttl_remaining < Duration(0))
      return "a negative age or TTL";
    if (answer.source == Source::kUpstream) {
      if (request == nullptr) return "from upstream, but no request completed";
      const bool of_an_age = valid(answer) || answer.reason == Reason::kRejected;
      if (of_an_age && answer.age != facts.now().boot - request->started.boot)
        return "not the request's age";
    }
    if (!valid(answer)) {
      if ((answer.flags & proto::kAnswerTruncated) != 0)
        return "no claims, but flagged as truncated";
      continue;
    }
    const Confirmation* const confirmation = stands_on(facts, answer);
    if (confirmation == nullptr) continue;
    if (((answer.flags & proto::kAnswerTruncated) != 0) != confirmation->huge) {
      return "the truncated flag is wrong";
    }
    const Duration by_rule = end_of(*confirmation, facts.policy) - facts.now().boot;
    if (answer.ttl_remaining > std::max(by_rule, Duration(0))) return "the TTL is too long";
    if (confirmation->no_store && answer.ttl_remaining > Duration(0))
      return "a no-store answer has a TTL";
    if (token.expires_at != WallTime::max() &&
        answer.ttl_remaining > std::max(Duration(0), token.expires_at - facts.now().wall)) {
      return "the TTL exceeds the token's exp";
    }
    if (answer.source == Source::kCache && answer.ttl_remaining <= Duration(0))
      return "a cached answer without a TTL";
    if (answer.source == Source::kStale && answer.ttl_remaining != Duration(0))
      return "a stale answer has a TTL";
    if (answer.source != Source::kCache && answer.source != Source::kUpstream &&
        answer.source != Source::kStale) {
      return "valid without a source";
    }
  }
  return {};
}

namespace {

std::string check_refused(const Facts& facts, const AnswerRecord& answer) {
  const TokenRecord& token = facts.records.token(answer.token);
  const RequestRecord* const request = completed_for(facts, answer);
  if (answer.source == Source::kUpstream) {
    return request != nullptr && meaning(facts, *request) == Meaning::kRefuses
               ? ""
               : "rejected, but not by the Auth API";
  }
  if (!token.refusal) return "rejected, but never by the Auth API";
  const Rejection& refusal = *token.refusal;
  if (refusal.instance != facts.records.instance)
    return "rejected by a request of an earlier service instance";
  // The confirmation was rejected while it waited for its audit record.
  if (answer.reversal) {
    return refusal.started > query_of(facts, answer).held->confirmed_at
               ? ""
               : "superseded by a rejection that started earlier";
  }
  if (facts.now().boot >= refusal.started + facts.policy.negative_ttl) {
    return "rejected after negative_ttl";
  }
  for (const Confirmation& confirmation : token.confirmations) {
    if (confirmation.completed > refusal.completed &&
        confirmation.started.boot >= refusal.started &&
        !past_exp_and_skew(token, facts.now(), facts.policy)) {
      return "rejected, but confirmed since";
    }
  }
  return {};
}

}  // namespace

std::string check_invalid_cause(const Facts& facts) {
  for (const AnswerRecord& answer : facts.step().decisions) {
    if (proto::verdict_of(answer.reason) != Verdict::kInvalid) continue;
    const TokenRecord& token = facts.records.token(answer.token);
    switch (answer.reason) {
      case Reason::kRejected:
        if (std::string found = check_refused(facts, answer); !found.empty()) return found;
        break;
      case Reason::kMalformed:
        if (token.kind != TokenKind::kMalformed) return "a well-formed token is called malformed";
        break;
      case Reason::kExpired:
        if (!past_exp_and_skew(token, facts.now(), facts.policy))
          return "an unexpired token is called expired";
        break;
      case Reason::kRevoked: break;  // see check_denied_in_time
      default: return "invalid without a cause";
    }
  }
  return {};
}

namespace {

std::string check_rate_limited(const Facts& facts, const QueryRecord& query) {
  const RateLimitPolicy& budget = facts.policy.rate_limit;
  const Records::OfUid& uid = facts.records.uids[query.uid];
  if (budget.per_uid.per_second == 0) return "rate-limited without a limit";
  const double reserved = budget.per_uid.burst * budget.reserved_percent / 100.0;
  if (static_cast<double>(uid.asked) + 1 < budget.per_uid.burst - reserved) {
    return "rate-limited below the burst";
  }
  // The core remembers at most max_entries known tokens.
  const bool remembered = facts.records.tokens.size() < facts.policy.max_entries;
  if (query.known && remembered && static_cast<double>(uid.of_known) + 1 < reserved) {
    return "the reserve for known tokens was used by others";
  }
  return {};
}

}  // namespace

namespace {

// True if the answer expired before its record was durable.
bool outlived(const Facts& facts, const AnswerRecord& answer) {
  const QueryRecord& query = query_of(facts, answer);
  if (!answer.late) return false;
  if (facts.now().boot >= query.deadline) return true;
  const HeldRecord& held = *query.held;
  if (answer.recorded.empty() || answer.recorded.front() != Reason::kOk) return false;
  return facts.now().boot >= held.earliest_end ||
         (held.source != Source::kUpstream &&
          past_exp_less_skew(facts.records.token(answer.token), facts.now(), facts.policy));
}

}  // namespace

std::string check_unavailable_cause(const Facts& facts) {
  for (const AnswerRecord& answer : facts.step().answers) {
    if (answer.reason == Reason::kNotRecorded && !query_of(facts, answer).withheld &&
        !outlived(facts, answer))
      return "not recorded, although the log accepted it in time";
  }
  for (const AnswerRecord& answer : facts.step().decisions) {
    if (proto::verdict_of(answer.reason) != Verdict::kUnavailable) continue;
    const QueryRecord& query = query_of(facts, answer);
    const TokenRecord& token = facts.records.token(answer.token);
    const RequestRecord* const request = completed_for(facts, answer);
    const Policy& policy = facts.policy;
    switch (answer.reason) {
      case Reason::kDeadline:
        if (facts.now().boot < query.deadline) return "timed out before its deadline";
        break;
      case Reason::kTooManyWaiting:
      case Reason::kTooManyWaitingOfUid:
      case Reason::kOverloaded:
        if (query.room && token.queries < policy.max_waiters) {
          return "overloaded below the limits";
        }
        break;
      case Reason::kBackoff:
        if (token.failing.holds(facts.now().boot) && facts.now().boot <= token.failing.latest)
          break;
        if (facts.health[token.upstream].state() == UpstreamHealth::State::kWorks) {
          return "backoff, although the Auth API works";
        }
        if (facts.health[token.upstream].ought_to_be_probed(facts.now().boot)) {
          return "the backoff is too long";
        }
        break;
      case Reason::kRateLimited:
        if (std::string found = check_rate_limited(facts, query); !found.empty()) return found;
        break;
      case Reason::kClientRateLimited:
        if (policy.rate_limit.per_client.per_second == 0 || !query.has_address)
          return "rate-limited for a client address without a limit or an address";
        break;
      case Reason::kShuttingDown:
        if (!facts.records.stopping) return "shutting down, although the service is not stopping";
        break;
      case Reason::kNotRecorded: break;  // checked above
      case Reason::kNotCurrent:
        if (facts.records.complete) return "not current, although the host is";
        break;
      case Reason::kTooLong:
        if (token.kind != TokenKind::kTooLong) return "a token of legal length is called too long";
        break;
      default:
        if (request == nullptr || meaning(facts, *request) != Meaning::kNothing ||
            reason_of(request->response) != answer.reason) {
          return fmt::format("{}, but no request failed that way", proto::name_of(answer.reason));
        }
    }
  }
  return {};
}

std::string check_stale(const Facts& facts) {
  for (const AnswerRecord& answer : facts.step().decisions) {
    if (answer.source != Source::kStale) continue;
    const TokenRecord& token = facts.records.token(answer.token);
    const RequestRecord* const request = completed_for(facts, answer);
    if (!valid(answer)) return "a stale answer that is not valid";
    if (facts.policy.ttl.stale_if_error <= Duration(0))
      return "stale, although stale answers are off";
    if (token.kept.present && token.kept.entry.fresh_until > facts.now().boot &&
        token.kept.entry.confirmed_at + facts.policy.ttl.max_ttl > facts.now().boot) {
      return "stale before the end of the TTL";
    }
    if (request != nullptr && meaning(facts, *request) != Meaning::kNothing) {
      return "stale, although the Auth API gave a verdict";
    }
  }
  return {};
}

std::string check_purged_first(const Facts& facts) {
  for (const AnswerRecord& answer : facts.step().decisions) {
    // A superseding answer may refer to an earlier rejection; the token may have been confirmed
    // since.
    if (answer.reason != Reason::kRejected || answer.reversal) continue;
    if (answer.in_store) return "rejected, but still in the store";
    if (answer.published) return "rejected, but still published";
  }
  return {};
}

}  // namespace claimsd::sim
