// response_class.h: interprets the result of a request to an Auth API: confirmed, rejected, or no verdict.
//
// Pure; any thread.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "daemon/claims/parse/cache_headers.h"
#include "daemon/claims/parse/claims_parser.h"
#include "daemon/claims/parse/introspection.h"
#include "daemon/claims/parse/jwt_parser.h"
#include "daemon/claims/ports.h"
#include "daemon/claims/upstream/circuit_breaker.h"

namespace claimsd::claims {

struct UpstreamPolicy {
  std::string name;
  std::optional<IntrospectionRules> introspection;  // nullopt: a userinfo endpoint
  ClaimMapping mapping;
  std::size_t max_token = 16 * 1024;  // longer tokens are answered kTooLong
  std::vector<int> rejection_statuses = {401};
  std::size_t urls = 1;    // number of URLs, tried in order
  seconds no_store_ttl{};  // TTL of what no-store or no-cache forbids to cache; 0: not cached
};

struct Judgement {
  // kOk, kRejected, kClaimMismatch, or the reason for having no verdict.
  proto::Reason reason = proto::Reason::kInternal;
  ParsedClaims claims;                    // set with kOk
  RetryAfter retry_after;                 // from the response
  CacheHeaders headers;                   // with kOk
  WallTime expires_at = WallTime::max();  // from an introspection response; max: none
  bool uncacheable = false;               // its `exp` is there, but unreadable
  bool down = false;                      // the Auth API does not work: unreachable, 5xx, 429
  // It failed over a kept connection, which may be the cause: no evidence against the Auth API. Not
  // set if the response has a Retry-After.
  bool may_be_connection = false;
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
// verdict. At an introspection endpoint 200 confirms or rejects, and 401 or 403 means that our own
// credentials are wrong.
Judgement judge(const FetchOutcome& outcome, const UpstreamPolicy& policy, const JudgedToken& token,
                JsonBuffers& buffers);

}  // namespace claimsd::claims
