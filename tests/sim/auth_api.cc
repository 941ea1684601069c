#include "tests/sim/auth_api.h"

#include <fmt/core.h>

#include "proto/limits.h"
#include "tests/sim/health.h"

namespace claimsd::sim {

using namespace claims;
using namespace std::chrono_literals;
using proto::Reason;

std::string_view name_of(Outage outage) {
  static constexpr std::array<std::string_view, static_cast<std::size_t>(Outage::kCount)> kNames{
      "none",         "rejects connections",
      "hangs",        "tls",
      "closes early", "unavailable",
      "error",        "forbids",
      "redirects",    "garbage",
      "too large",    "flaps"};
  return kNames[static_cast<std::size_t>(outage)];
}

AuthApi::AuthApi(const Scenario& scenario, Dice& dice)
    : scenario_(scenario), dice_(dice), versions_(scenario.users, 1) {}

Response AuthApi::serve(const TokenRecord& token) {
  Outage outage = outages_[token.upstream];
  if (outage == Outage::kFlaps) outage = dice_.percent(50) ? Outage::kBreaksOff : Outage::kNone;
  if (outage == Outage::kNone && dice_.permille(10)) {
    outage = static_cast<Outage>(1 + dice_.below(static_cast<std::size_t>(Outage::kFlaps) - 1));
  }
  if (outage == Outage::kNone && token.poison) {
    outage = dice_.pick(std::array<Outage, 4>{Outage::kError, Outage::kError, Outage::kUnavailable,
                                              Outage::kHangs});
  }
  if (outage != Outage::kNone) return fail(outage);
  Response response;
  if (!token.good) {
    response.status = 401;
    return response;
  }
  response.version = versions_[token.user];
  response.huge = dice_.permille(2);
  if (dice_.percent(scenario_.with_headers)) add_headers(response);
  return response;
}

Response AuthApi::serve_old(OldInstance how) {
  Response response;
  switch (how) {
    case OldInstance::kUnavailable: response.status = 503; break;
    case OldInstance::kRejects: response.status = 401; break;
    default: response.failure = Reason::kUpstreamTimeout; break;
  }
  return response;
}

Response AuthApi::fail(Outage outage) {
  Response response;
  switch (outage) {
    case Outage::kRefuses: response.failure = Reason::kUpstreamConnect; break;
    case Outage::kHangs: response.failure = Reason::kUpstreamTimeout; break;
    case Outage::kTls: response.failure = Reason::kUpstreamTls; break;
    case Outage::kBreaksOff: response.failure = Reason::kUpstreamProtocol; break;
    case Outage::kTooLarge: response.failure = Reason::kUpstreamTooLarge; break;
    case Outage::kUnavailable:
      response.status = dice_.percent(80) ? 503 : 429;
      if (dice_.percent(70)) response.retry_after = seconds(1 + dice_.below(40));
      break;
    case Outage::kError: response.status = 500; break;
    case Outage::kForbids: response.status = 403; break;
    case Outage::kRedirects: response.status = 302; break;
    default: response.broken_body = true; break;
  }
  return response;
}

void AuthApi::add_headers(Response& response) {
  switch (dice_.below(7)) {
    case 0: response.no_store = true; break;
    case 1:
      response.max_age = seconds(dice_.below(200));
      response.age = seconds(dice_.below(30));
      break;
    case 2: response.max_age = seconds(0); break;
    case 3: response.varies = true; break;
    default: response.max_age = seconds(dice_.below(90)); break;
  }
}

Duration AuthApi::way_there() {
  if (dice_.percent(scenario_.slow)) return dice_.between(100ms, 3s);
  return dice_.between(1ms, 40ms);
}

Duration AuthApi::way_back(const Response& response) {
  if (response.failure == Reason::kUpstreamConnect) return Duration(0);
  if (response.failure == Reason::kUpstreamTimeout) return dice_.between(1s, 10s);
  return way_there();
}

std::string body_of(std::uint32_t user, std::uint32_t version, bool huge) {
  std::string body = fmt::format(R"({{"id":"user-{}","email":"{}@example.com","role":"r{}"}})",
                                 user, user, version);
  if (huge) {
    body.pop_back();
    body += R"(,"notes":")" + std::string(proto::kMaxRawClaims, 'x') + "\"}";
  }
  return body;
}

claims::FetchOutcome compose(const RequestRecord& request, std::uint32_t user, BootTime now) {
  const Response& response = request.response;
  claims::FetchOutcome outcome;
  outcome.reused = was_reused(request);
  if (outcome.reused) outcome.connection_age = now - request.connection.made;
  outcome.failure = response.failure;
  if (response.failure != Reason::kOk) return outcome;
  outcome.status = response.status;
  if (response.broken_body) {
    outcome.body = Secret(R"({"detail":"please log in"})");
  } else if (response.status == 200) {
    outcome.body = Secret(body_of(user, response.version, response.huge));
  }
  if (response.varies) outcome.vary = "*";
  if (response.no_store) outcome.cache_control = "private, no-store";
  if (response.max_age)
    outcome.cache_control = fmt::format("max-age={}", response.max_age->count());
  if (response.age != 0s) outcome.age = fmt::format("{}", response.age.count());
  outcome.retry_after = response.retry_after;
  return outcome;
}

}  // namespace claimsd::sim
