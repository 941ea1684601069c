#include "daemon/claims/upstream/response_class.h"

#include <fmt/core.h>

#include <algorithm>
#include <cctype>

#include "daemon/claims/parse/parsed_document.h"

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

// The content type if it announces no JSON: a login page, or a signed userinfo document.
std::string describe_content_type(std::string_view header) {
  constexpr std::size_t kMaxShown = 60;
  std::string kind;
  for (const char c : header.substr(0, std::min(header.find(';'), kMaxShown))) {
    if (std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '/' || c == '+' || c == '-' ||
        c == '.')
      kind += c;
  }
  const std::string_view shown = kind;
  if (shown.empty() || shown.ends_with("/json") || shown.ends_with("+json")) return "";
  return fmt::format(" (its content type is {}{})", kind,
                     shown == "application/jwt" ? ", which claimsd does not read" : "");
}

bool is_rejection(int status, const UpstreamPolicy& policy) {
  const auto& statuses = policy.rejection_statuses;
  return std::find(statuses.begin(), statuses.end(), status) != statuses.end();
}

// RFC 7662 section 2.3. Never the token's fault.
bool refuses_us(int status) {
  return status == 401 || status == 403;
}

// The claims of a 200. kRejected: an introspection response does not accept the token. Its `exp` is
// noted in `judgement`.
ClaimsResult<ParsedClaims> claims_of(const FetchOutcome& outcome, const UpstreamPolicy& policy,
                                     const JudgedToken& token, JsonBuffers& buffers,
                                     Judgement& judgement) {
  // Before the response is parsed, because both use the same buffers. With introspection, what the
  // response decides has precedence.
  const auto checked = check_token_claims(token.text, token.times, policy.mapping, buffers);
  if (!checked && !policy.introspection) return tl::make_unexpected(checked.error());
  WipedJson json(buffers);
  const std::string_view body = outcome.body.view();
  const Element root = TRY(parse_object(json, body));
  if (policy.introspection) {
    const Introspection read = TRY(read_introspection(root, *policy.introspection));
    if (!read.accepted) return tl::make_unexpected(ClaimsError(proto::Reason::kRejected, read.why));
    judgement.expires_at = read.expires_at;
    judgement.uncacheable = read.has_unreadable_exp;
    if (!checked) return tl::make_unexpected(checked.error());
  }
  return read_claims(root, body, policy.mapping);
}

}  // namespace

Judgement judge(const FetchOutcome& outcome, const UpstreamPolicy& policy, const JudgedToken& token,
                JsonBuffers& buffers) {
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

  if (policy.introspection && refuses_us(outcome.status)) {
    judgement.reason = proto::Reason::kUpstreamCredentials;
    judgement.detail = fmt::format("status {}", outcome.status);
    judgement.down = true;
    return judgement;
  }
  if (!policy.introspection && is_rejection(outcome.status, policy)) {
    judgement.reason = proto::Reason::kRejected;
    return judgement;
  }
  if (outcome.status != 200) {
    judgement.reason = proto::Reason::kUpstreamStatus;
    judgement.detail = fmt::format("status {}", outcome.status);
    return judgement;
  }
  ClaimsResult<ParsedClaims> parsed = claims_of(outcome, policy, token, buffers, judgement);
  if (!parsed) {
    judgement.reason = parsed.error().reason;
    judgement.detail = parsed.error().message;
    if (judgement.reason == proto::Reason::kUpstreamBody)
      judgement.detail += describe_content_type(outcome.content_type);
    return judgement;
  }
  judgement.claims = std::move(*parsed);
  judgement.headers = read_cache_headers(outcome.cache_control, outcome.age, outcome.vary);
  return judgement;
}

}  // namespace claimsd::claims
