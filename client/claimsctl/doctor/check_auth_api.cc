// Checks of the Auth APIs (reachable, correct, certificates not about to expire) and of the clock,
// which decides whether tokens and certificates are valid.
#include <fmt/core.h>

#include <algorithm>

#include "client/claimsctl/doctor/checks.h"
#include "client/claimsctl/output.h"
#include "daemon/config/config.h"

namespace claimsd::claimsctl::doctor {
namespace {

using std::chrono::hours;

constexpr auto kEndsSoon = hours(24 * 14);
constexpr long kFirstServerError = 500;
constexpr long kFirstRedirect = 300;
constexpr long kFirstClientError = 400;

Finding judge_status(const AuthApiFacts& api) {
  const std::string answered =
      fmt::format("{} returned HTTP {} to a request without a token", api.url, api.status);
  if (api.refuses) {
    return {State::kOk, fmt::format("{}, in {}", answered, duration_text(api.took_seconds)), ""};
  }
  const std::string option = fmt::format("upstream.{}.url and .path", api.upstream);
  if (api.status >= kFirstServerError)
    return {State::kFailed, answered,
            "read the Auth API's log; until it recovers, cached tokens are valid until their TTL "
            "ends, and all others get 503"};
  if (api.status < kFirstRedirect)
    return {State::kFailed, answered + ": it would accept every token",
            fmt::format("set {} to an endpoint that requires a token", option)};
  if (api.status < kFirstClientError)
    return {State::kFailed, answered + ": claimsd does not follow redirects",
            fmt::format("set {} to the address that it redirects to", option)};
  const auto& unrelated = config::kNoRejections;
  if (std::find(unrelated.begin(), unrelated.end(), api.status) != unrelated.end())
    return {State::kWarning, answered + ", which says nothing about the token",
            api.status == config::kProxyAuthenticationRequired
                ? fmt::format("set upstream.{}.proxy_credentials_file", api.upstream)
                : "read the rate limits and the log of the Auth API, then run this again"};
  return {
      State::kWarning, answered + ", which does not count as a rejection",
      fmt::format("correct {}, or add the status to rejection_statuses if it means that a token "
                  "was rejected",
                  option)};
}

Finding judge_end(std::string_view what, WallTime now, WallTime end, std::string_view fix) {
  if (end <= now)
    return {State::kFailed, fmt::format("{} expired {}", what, distance_text(now, end)),
            std::string(fix)};
  return {end - now < kEndsSoon ? State::kWarning : State::kOk,
          fmt::format("{} expires {}", what, distance_text(now, end)),
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
                     fmt::format("check upstream.{}.url, DNS and the network; if the "
                                 "certificate is not trusted, check ca_file",
                                 api.upstream)});
    }
  }
  return all;
}

Findings check_transport(const Facts& facts) {
  Findings all;
  for (const auto& api : facts.configured->auth_apis) {
    if (!api.exposed) continue;
    all.push_back(
        {State::kWarning,
         fmt::format("{} is plain http: while the Auth API is down, any local user can listen on "
                     "its port and receive tokens",
                     api.url),
         fmt::format("let the Auth API listen on a Unix socket and set upstream.{}.url to "
                     "http+unix:///run/…, or use https",
                     api.upstream)});
  }
  if (all.empty())
    all.push_back(
        {State::kOk,
         "each Auth API is reached over TLS, or over a Unix socket whose owner claimsd verifies",
         ""});
  return all;
}

Findings check_certificate(const Facts& facts) {
  Findings all;
  bool tls = false;
  for (const auto& api : facts.configured->auth_apis) {
    tls = tls || api.tls;
    if (!api.tls) continue;
    if (api.certificate_end) {
      all.push_back(judge_end(fmt::format("the certificate of {}", api.url), facts.clock.now,
                              *api.certificate_end,
                              "ask the operator of the Auth API to renew it"));
    } else {
      all.push_back({State::kUnchecked, fmt::format("not checked: no connection to {}", api.url),
                     "resolve the check \"Auth API\" first"});
    }
  }
  if (!tls) all.push_back({State::kOk, "not needed: no Auth API uses TLS", ""});
  return all;
}

Findings check_client_certificate(const Facts& facts) {
  Findings all;
  for (const auto& certificate : facts.configured->client_certificates) {
    if (!certificate.end) {
      const bool absent = certificate.path.starts_with("/run/credentials/") && !facts.daemon;
      const bool unseen = absent || facts.caller.uid != 0;
      all.push_back({unseen ? State::kUnchecked : State::kFailed, certificate.end.error().message,
                     absent   ? "systemctl start claimsd: systemd provides the file only while the "
                                "daemon runs"
                     : unseen ? kRunAsRoot
                              : "put a PEM certificate there, or remove the option"});
      continue;
    }
    all.push_back(judge_end(certificate.path, facts.clock.now, *certificate.end,
                            "renew it; the daemon rereads the file when it changes"));
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
                     fmt::format("the clock of {} is {} s {} this host's, more than "
                                 "cache.clock_skew: tokens expire too early or too late",
                                 api.url, std::chrono::abs(*api.ahead).count(),
                                 *api.ahead > seconds(0) ? "ahead of" : "behind"),
                     "synchronize both clocks: timedatectl set-ntp true"});
    }
  }
  if (!facts.clock.synchronized) {
    all.push_back({State::kUnchecked,
                   fmt::format("unknown whether this host's clock is synchronized: {}",
                               facts.clock.synchronized.error().message),
                   "see timedatectl"});
  } else if (!*facts.clock.synchronized) {
    all.push_back({State::kWarning, "this host's clock is not synchronized",
                   "timedatectl set-ntp true, or install chrony; ignore this in a virtual machine "
                   "whose host sets its clock"});
  }
  if (all.empty()) all.push_back({State::kOk, "synchronized", ""});
  return all;
}

}  // namespace claimsd::claimsctl::doctor
