// response_class.h: interprets the result of a request to an Auth API: confirmed, rejected, or no verdict.
//
// Pure; any thread.
#pragma once

#include <string>
#include <vector>

#include "daemon/claims/parse/claims_parser.h"
#include "daemon/claims/parse/jwt_parser.h"
#include "daemon/claims/ports.h"
#include "daemon/claims/upstream/circuit_breaker.h"

namespace claimsd::claims {

struct UpstreamPolicy {
  std::string name;
  ClaimMapping mapping;
  std::size_t max_token = 16 * 1024;  // longer tokens are answered kTooLong
  std::vector<int> rejection_statuses = {401};
  std::size_t urls = 1;  // number of URLs, tried in order
};

struct Judgement {
  // kOk, kRejected, kClaimMismatch, or the reason for having no verdict.
  proto::Reason reason = proto::Reason::kInternal;
  ParsedClaims claims;     // set with kOk
  RetryAfter retry_after;  // from the response
  bool down = false;       // the Auth API does not work: unreachable, 5xx, 429
  // The failure may be specific to this token: the Auth API was reached and failed.
  bool may_be_token = false;
  std::string detail;  // for the log
};

// The token that was asked about, and what was read from it.
struct JudgedToken {
  std::string_view text;
  const JwtTimes& times;
};

// 200 with a valid claims document confirms; if the document or the token lacks a required value, it
// is kClaimMismatch. A status listed in `rejection_statuses` rejects. Any other outcome gives no
// verdict.
Judgement judge(const FetchOutcome& outcome, const UpstreamPolicy& policy, const JudgedToken& token,
                JsonBuffers& buffers);

}  // namespace claimsd::claims
