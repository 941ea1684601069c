// Checks of the Auth APIs (reachable, correct, certificates not about to expire) and of the clock,
// which decides whether tokens and certificates are valid.
#include <fmt/core.h>

#include <algorithm>

#include "client/claimsctl/doctor/checks.h"
#include "client/claimsctl/output.h"

namespace claimsd::claimsctl::doctor {
namespace {

using std::chrono::hours;

constexpr auto kEndsSoon = hours(24 * 14);
constexpr long kFirstServerError = 500;
constexpr long kFirstRedirect = 300;
constexpr long kFirstClientError = 400;

Finding judge_status(const AuthApiFacts& api) {
  const std::string answered =
      fmt::format("{} answered a request without a token with HTTP {}", api.url, api.status);
  if (api.refuses) {
    return {State::kOk,
            fmt::format("{} refuses who has no token (HTTP {}), in {}", api.url, api.status,
                        duration_text(api.took_seconds)),
            ""};
  }
  const std::string option = fmt::format("upstream.{}.url and .path", api.upstream);
  if (api.status >= kFirstServerError)
    return {State::kFailed, answered,
            "its own log tells why; until then known tokens are answered"};
  if (api.status < kFirstRedirect)
    return {State::kFailed, answered + ": everybody would be let in",
            fmt::format("is this the Auth API? Check {}", option)};
  if (api.status < kFirstClientError)
    return {State::kFailed, answered + ": a redirect is not followed",
            fmt::format("name where it leads in {}", option)};
  return {State::kWarning, answered + ", which is not a refusal",
          fmt::format("check {}, or add it to rejection_statuses if it means that", option)};
}

Finding judge_end(std::string_view what, WallTime now, WallTime end, std::string_view fix) {
  if (end <= now)
    return {State::kFailed, fmt::format("{} ended {}", what, distance_text(now, end)),
            std::string(fix)};
  return {end - now < kEndsSoon ? State::kWarning : State::kOk,
          fmt::format("{} ends {}", what, distance_text(now, end)),
          end - now < kEndsSoon ? std::string(fix) : ""};
}

}  // namespace

Findings check_auth_api(const Facts& facts) {
  Findings all;
  for (const auto& api : facts.configured->auth_apis) {
    if (api.failure.empty()) {
      all.push_back(judge_status(api));
    } else {
      all.push_back({State::kFailed, fmt::format("{}: {}", api.url, api.failure),
                     fmt::format("check upstream.{}.url, DNS, the network between, and ca_file for "
                                 "a certificate that is not trusted",
                                 api.upstream)});
    }
  }
  return all;
}

Findings check_certificate(const Facts& facts) {
  Findings all;
  bool tls = false;
  for (const auto& api : facts.configured->auth_apis) {
    tls = tls || api.tls;
    if (!api.tls) continue;
    if (api.certificate_end) {
      all.push_back(judge_end(fmt::format("that of {}", api.url), facts.clock.now,
                              *api.certificate_end, "whoever runs the Auth API must renew it"));
    } else {
      all.push_back({State::kUnchecked, fmt::format("{} showed none that is trusted", api.url),
                     "see Auth API"});
    }
  }
  if (!tls) all.push_back({State::kOk, "none: every Auth API is on this host's loopback", ""});
  return all;
}

Findings check_client_certificate(const Facts& facts) {
  Findings all;
  for (const auto& certificate : facts.configured->client_certificates) {
    if (!certificate.end) {
      const bool absent = certificate.path.starts_with("/run/credentials/") && !facts.daemon;
      const bool unseen = absent || facts.caller.uid != 0;
      all.push_back({unseen ? State::kUnchecked : State::kFailed, certificate.end.error().message,
                     absent   ? "start the daemon: systemd hands it over while that runs"
                     : unseen ? "run it as root"
                              : "put a PEM certificate there, or take the option out"});
      continue;
    }
    all.push_back(judge_end(certificate.path, facts.clock.now, *certificate.end,
                            "renew it; it is read again when the file changes"));
  }
  if (all.empty()) all.push_back({State::kOk, "none is configured", ""});
  return all;
}

Findings check_clock(const Facts& facts) {
  Findings all;
  if (facts.configured) {
    const auto skew = facts.config->config.cache.clock_skew;
    for (const auto& api : facts.configured->auth_apis) {
      // A Date header has a resolution of one second.
      if (!api.ahead || std::chrono::abs(*api.ahead) <= skew + seconds(1)) continue;
      all.push_back({State::kFailed,
                     fmt::format("the clock of {} is {} s {} this host's: more than "
                                 "cache.clock_skew, so that tokens end too early or too late",
                                 api.url, std::chrono::abs(*api.ahead).count(),
                                 *api.ahead > seconds(0) ? "ahead of" : "behind"),
                     "set the wrong one of the two right (timedatectl set-ntp true)"});
    }
  }
  if (!facts.clock.synchronised) {
    all.push_back({State::kWarning, "nobody keeps this host's clock right",
                   "timedatectl set-ntp true, or run chrony; in a virtual machine whose host does "
                   "that this is fine"});
  }
  if (all.empty()) all.push_back({State::kOk, "it is kept right", ""});
  return all;
}

}  // namespace claimsd::claimsctl::doctor
