// Invariants of cached entries, counters and leases.
#include <fmt/core.h>

#include <algorithm>

#include "tests/sim/admin_actions.h"
#include "tests/sim/invariants.h"
#include "tests/sim/rules.h"

namespace claimsd::sim {

using namespace claims;
using proto::Reason;
using proto::Source;

namespace {

// Entries that the core has removed but the store could not erase.
std::size_t disowned(const Records& records) {
  std::size_t count = 0;
  for (const TokenRecord& token : records.tokens) count += token.kept.disowned ? 1 : 0;
  return count;
}

std::optional<TokenNumber> completed_token(const Facts& facts) {
  if (!facts.step().completed) return std::nullopt;
  return facts.records.requests[*facts.step().completed].token;
}

}  // namespace

std::string check_eviction_cause(const Facts& facts) {
  const Step& step = facts.step();
  if (step.erases.empty() || step.restarted || step.order) return {};
  const std::optional<TokenNumber> own = completed_token(facts);
  std::size_t others = 0;
  for (const EraseRecord& erase : step.erases) {
    if (erase.was_there && !erase.by_action && erase.token != own) ++others;
  }
  if (others == 0) return {};
  if (step.puts.empty()) return "an entry was evicted although no room was needed";
  for (const PutRecord& put : step.puts) {
    if (put.result == Stored::kFull) return {};
  }
  const std::size_t needed = step.kept_before + 1 > facts.policy.max_entries
                                 ? step.kept_before + 1 - facts.policy.max_entries
                                 : 0;
  return others > needed ? "more entries were evicted than necessary" : "";
}

std::string check_ended_first(const Facts& facts) {
  const Step& step = facts.step();
  const std::optional<TokenNumber> own = completed_token(facts);
  bool took_good_one = false;
  for (const EraseRecord& erase : step.erases) {
    took_good_one |= erase.was_there &&
                     !(erase.fresh_until + facts.policy.ttl.stale_if_error <= facts.now().boot) &&
                     !erase.by_action && erase.token != own;
  }
  if (!took_good_one || step.restarted || step.order) return {};
  for (const TokenRecord& token : facts.records.tokens) {
    const Kept& kept = token.kept;
    if (kept.present && !kept.disowned &&
        kept.entry.fresh_until + facts.policy.ttl.stale_if_error <= facts.now().boot &&
        // Except for the entry that was just stored.
        !(own && token.key == facts.records.token(*own).key)) {
      return "an expired entry stays while an unexpired one was evicted";
    }
  }
  return {};
}

std::string check_kept(const Facts& facts) {
  for (const PutRecord& put : facts.step().puts) {
    const TokenRecord& token = facts.records.token(put.token);
    if (completed_token(facts) != put.token || token.confirmations.empty() ||
        token.confirmations.back().completed != facts.step().number) {
      return "cached, but not confirmed";
    }
    const Confirmation& confirmation = token.confirmations.back();
    if (confirmation.no_store) return "a no-store answer is cached";
    if (put.revoked) return "a revoked or purged entry is cached";
    if (put.entry.confirmed_at != confirmation.started.boot) {
      return "the TTL does not start with the request";
    }
    const BootTime longest = confirmation.started.boot + confirmation.ttl;
    if (put.entry.fresh_until > longest) return "cached for longer than its TTL";
    const Duration jitter = confirmation.ttl / 100 * facts.policy.ttl.jitter_percent;
    if (put.entry.fresh_until < longest - jitter) return "more jitter than configured";
    if (put.entry.expires_at != token.expires_at) return "not the token's exp";
    if (put.entry.issued_at != token.issued_at) return "not the token's iat";
    if (token.refusal && token.refusal->started > confirmation.started.boot) {
      return "cached after a later rejection";
    }
  }
  return {};
}

std::string check_bounded(const Facts& facts) {
  const Policy& policy = facts.policy;
  Records& records = facts.records;
  if (records.kept > policy.max_entries && records.kept - disowned(records) > policy.max_entries) {
    return "more entries than allowed";
  }
  if (facts.service.negative_entries() > policy.negative_entries)
    return "too many negative entries";
  if (records.open - records.held > policy.max_waiters) return "too many queries wait";
  for (const Records::OfUid& uid : records.uids) {
    if (uid.open - uid.held > policy.max_waiters_per_uid) return "too many queries of one uid wait";
  }
  const SingleFlight& flights = facts.service.flights();
  // A successor is never rejected: it inherits the place of its predecessor.
  if (flights.pending() > (policy.max_pending + policy.max_in_flight) * policy.upstreams.size()) {
    return "too many requests are pending";
  }
  if (flights.waiting() != records.open - records.held) return "the number of waiters is wrong";
  if (flights.in_flight() != records.in_flight) return "the number of requests in flight is wrong";
  if (facts.service.revocations().stored() > policy.revocations.max_rules + Revocations::kReserve) {
    return "more rules than allowed";
  }
  return {};
}

std::string check_counters(const Facts& facts) {
  const Counters& counters = facts.service.counters();
  const Records& records = facts.records;
  if (counters.queries != records.asked) return "queries";
  if (counters.upstream_requests != records.started) return "upstream_requests";
  if (counters.upstream_confirmations + counters.upstream_rejections + counters.upstream_failures !=
      records.completed - records.again()) {
    return "upstream results";
  }
  if (counters.stale_answers != records.stale) return "stale_answers";
  if (counters.answers_valid != records.verdicts[1]) return "answers_valid";
  if (counters.answers_invalid != records.verdicts[2]) return "answers_invalid";
  if (counters.answers_unavailable != records.verdicts[3]) return "answers_unavailable";
  return {};
}

std::string check_recorded(const Facts& facts) {
  const AuditScope& scope = facts.policy.audit;
  for (const AnswerRecord& answer : facts.step().answers) {
    if (answer.reason == Reason::kNotRecorded) continue;  // see unavailable_cause
    const QueryRecord& query = facts.records.queries[answer.query];
    // The first decision, followed by the one that superseded it.
    std::vector<Reason> expected{answer.reason};
    if (answer.late && answer.recorded.size() > 1) expected.insert(expected.begin(), Reason::kOk);
    const Source source = answer.late ? query.held->source : answer.source;
    const bool due = expected.front() != Reason::kOk ? scope.failures
                     : source == Source::kUpstream   ? scope.verifications
                                                     : scope.hits;
    if (!due && !answer.recorded.empty()) return "recorded, although the audit scope excludes it";
    if (due && answer.recorded != expected) {
      return fmt::format("{} was sent with {} records", proto::name_of(answer.reason),
                         answer.recorded.size());
    }
  }
  return {};
}

std::string check_held(const Facts& facts) {
  for (const QueryNumber number : facts.step().released) {
    const QueryRecord& query = facts.records.queries[number];
    // It may wait again, for the record of a superseding answer.
    if (!query.answered && !query.disconnected && !query.waits)
      return fmt::format("query {} still waits for a completed record", number);
  }
  return {};
}

std::string check_lease_recorded(const Facts& facts) {
  if (!facts.policy.audit.leases) return {};
  for (const PublicationRecord& lease : facts.step().publications) {
    const auto& recorded = facts.step().leases_recorded;
    const std::string& token = facts.records.token(lease.token).text;
    if (std::find(recorded.begin(), recorded.end(), token) == recorded.end())
      return "a lease without a record";
  }
  return {};
}

std::string check_lease(const Facts& facts) {
  for (const PublicationRecord& lease : facts.step().publications) {
    const TokenRecord& token = facts.records.token(lease.token);
    const Confirmation* const confirmation = confirmed_at(token, lease.confirmed_at);
    if (confirmation == nullptr) return "a lease without a confirmation";
    if (confirmation->no_store) return "a lease of a no-store answer";
    if (lease.version != confirmation->version) return "a lease with other claims";
    if (lease.end.lease > end_of(*confirmation, facts.policy)) return "a lease longer than the TTL";
    if (lease.end.lease <= facts.now().boot) return "an expired lease";
    if (token.expires_at != WallTime::max() &&
        lease.end.hard > token.expires_at - facts.policy.ttl.clock_skew) {
      return "a lease past exp - skew";
    }
    if (lease.revoked) return "a lease of a revoked or purged entry";
    if (token.refusal && token.refusal->completed > confirmation->completed) {
      return "a lease of a rejected token";
    }
  }
  return {};
}

}  // namespace claimsd::sim
