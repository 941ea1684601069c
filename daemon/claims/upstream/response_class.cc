#include "daemon/claims/upstream/response_class.h"

#include <fmt/core.h>

#include <algorithm>

namespace claimsd::claims {

namespace {

// An invalid body or a 404 may concern one user or one path only; both show that the Auth API
// works.
bool is_down(const FetchOutcome& outcome) {
  switch (outcome.failure) {
    case proto::Reason::kOk: return outcome.status >= 500 || outcome.status == 429;
    case proto::Reason::kUpstreamTimeout:
    case proto::Reason::kUpstreamConnect:
    case proto::Reason::kUpstreamTls:
    case proto::Reason::kUpstreamCertificate:
    case proto::Reason::kUpstreamProtocol: return true;
    default: return false;
  }
}

}  // namespace

bool is_rejection(const FetchOutcome& outcome, const UpstreamPolicy& policy) {
  const auto& statuses = policy.rejection_statuses;
  return outcome.failure == proto::Reason::kOk &&
         std::find(statuses.begin(), statuses.end(), outcome.status) != statuses.end();
}

Judgement judge(const FetchOutcome& outcome, const UpstreamPolicy& policy, JsonBuffers& room) {
  Judgement judgement;
  judgement.reason = outcome.failure;
  judgement.detail = outcome.detail;
  judgement.retry_after = {.wait = outcome.retry_after, .for_all = outcome.status != 429};
  judgement.down = is_down(outcome);
  judgement.may_be_token = judgement.down && outcome.failure != proto::Reason::kUpstreamConnect &&
                           outcome.failure != proto::Reason::kUpstreamTls &&
                           outcome.failure != proto::Reason::kUpstreamCertificate;
  judgement.may_be_connection = judgement.down && outcome.reused && outcome.status != 429 &&
                                outcome.retry_after == seconds(0);
  if (outcome.failure != proto::Reason::kOk) return judgement;

  if (is_rejection(outcome, policy)) {
    judgement.reason = proto::Reason::kRejected;
    return judgement;
  }
  if (outcome.status != 200) {
    judgement.reason = proto::Reason::kUpstreamStatus;
    judgement.detail = fmt::format("status {}", outcome.status);
    return judgement;
  }
  Result<ParsedClaims> parsed = parse_claims(outcome.body.view(), policy.names, room);
  if (!parsed) {
    judgement.reason = proto::Reason::kUpstreamBody;
    judgement.detail = parsed.error().message;
    return judgement;
  }
  judgement.claims = std::move(*parsed);
  judgement.headers = read_cache_headers(outcome.cache_control, outcome.age, outcome.vary);
  return judgement;
}

}  // namespace claimsd::claims
