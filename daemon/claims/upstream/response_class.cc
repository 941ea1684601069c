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
    case proto::Reason::kUpstreamProtocol: return true;
    default: return false;
  }
}

}  // namespace

Judgement judge(const FetchOutcome& outcome, const UpstreamPolicy& policy, JsonBuffers& room) {
  Judgement judgement;
  judgement.reason = outcome.failure;
  judgement.detail = outcome.detail;
  judgement.retry_after = {.wait = outcome.retry_after, .for_all = outcome.status != 429};
  judgement.down = is_down(outcome);
  judgement.may_be_token = judgement.down && outcome.failure != proto::Reason::kUpstreamConnect &&
                           outcome.failure != proto::Reason::kUpstreamTls;
  if (outcome.failure != proto::Reason::kOk) return judgement;

  const auto& refusals = policy.rejection_statuses;
  if (std::find(refusals.begin(), refusals.end(), outcome.status) != refusals.end()) {
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
  return judgement;
}

}  // namespace claimsd::claims
