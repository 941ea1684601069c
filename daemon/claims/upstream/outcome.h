// outcome.h: what the end of a request means: confirmed, refused, or nothing settled.
//
// Pure; any thread.
#pragma once

#include <string>
#include <vector>

#include "daemon/claims/parse/claims_parser.h"
#include "daemon/claims/ports.h"
#include "daemon/claims/upstream/upstream_gate.h"

namespace claimsd::daemon {

struct UpstreamPolicy {
  std::string name;
  ClaimNames names;
  std::vector<int> refusal_statuses = {401};
  std::size_t urls = 1;  // tried in order
};

struct Judgement {
  proto::Reason reason = proto::Reason::kInternal;  // kOk, kRefused, or why nothing is settled
  ParsedClaims claims;                              // with kOk
  RetryAfter retry_after;                           // the Auth API's advice
  bool down = false;                                // it does not work: unreachable, 5xx, 429
  bool may_be_token = false;  // or not for this token: it was asked, and failed at that
  std::string detail;         // for the log
};

// 200 with a valid claims document confirms; the refusal statuses refuse; all else settles nothing,
// however it came about.
Judgement judge(const FetchOutcome& outcome, const UpstreamPolicy& policy, JsonRoom& room);

}  // namespace claimsd::daemon
