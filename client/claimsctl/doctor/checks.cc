#include "client/claimsctl/doctor/checks.h"

namespace claimsd::claimsctl::doctor {
namespace {

// clang-format off
constexpr Check kChecks[] = {
  {"configuration", "configuration", "The file is valid, the daemon can read it, and other users cannot change it",
   Needs::kNothing, check_configuration},
  {"daemon", "daemon", "It runs, reports itself healthy, and has the same version as claimsctl",
   Needs::kNothing, check_daemon},
  {"in_effect", "in effect", "The running daemon uses the file as it is now",
   Needs::kConfiguration, check_in_effect},
  {"claims_socket", "claims socket", "It exists, workers can reach it, and other users cannot replace it",
   Needs::kNothing, check_claims_socket},
  {"admin_socket", "admin socket", "It exists, and only administrators can open or replace it",
   Needs::kNothing, check_admin_socket},
  {"http_socket", "HTTP socket", "It is off, or the daemon serves it and --worker users may open it",
   Needs::kNothing, check_http_socket},
  {"groups", "groups", "The users named with --worker may query: groups, modes, allowed_uids and allowed_gids",
   Needs::kConfiguration, check_groups},
  {"answer", "answer", "The daemon answers libclaimsd as it would answer a worker",
   Needs::kNothing, check_answer},
  {"host_key", "host key", "Owner, mode and size of cache.key_file; owner and mode of its directory",
   Needs::kConfiguration, check_host_key},
  {"cache", "cache", "Owner and mode of cache.directory, which belongs on a memory file system",
   Needs::kConfiguration, check_cache},
  {"revocations", "revocations", "Owner and mode of revocations.directory, which belongs on a disk",
   Needs::kConfiguration, check_revocations},
  {"audit", "audit log", "Owner and mode of audit.directory, which belongs on a disk",
   Needs::kConfiguration, check_audit},
  {"disk", "disk", "Free space and inodes for the cache, the revocations and the audit log",
   Needs::kConfiguration, check_disk},
  {"clock", "clock", "This host's clock is synchronized and agrees with the clock of each Auth API",
   Needs::kNothing, check_clock},
  {"auth_api", "Auth API", "Each URL responds, and rejects a request without a token",
   Needs::kConfiguration, check_auth_api},
  {"transport", "transport", "Tokens reach each Auth API over TLS or a Unix socket, not over a port that other users can take",
   Needs::kConfiguration, check_transport},
  {"certificate", "certificate", "When the certificate of each Auth API expires",
   Needs::kConfiguration, check_certificate},
  {"client_certificate", "client certificate", "upstream.NAME.client_certificate is readable and not about to expire",
   Needs::kConfiguration, check_client_certificate},
};
// clang-format on

}  // namespace

std::span<const Check> checks() {
  return kChecks;
}

std::string_view name_of(State state) {
  switch (state) {
    case State::kOk: return "ok";
    case State::kUnchecked: return "unchecked";
    case State::kWarning: return "warning";
    case State::kFailed: return "failed";
  }
  return "";
}

Findings judge(const Check& check, const Facts& facts) {
  if (check.needs == Needs::kConfiguration && !facts.configured) {
    return {{State::kUnchecked, "there is no valid configuration that says where to look",
             "resolve the check \"configuration\" first"}};
  }
  return check.judge(facts);
}

std::string distance_text(WallTime now, WallTime then) {
  using std::chrono::hours;
  const auto apart = std::chrono::duration_cast<hours>(then > now ? then - now : now - then);
  if (apart < hours(1)) return then > now ? "in less than an hour" : "less than an hour ago";
  const bool short_time = apart < hours(48);
  const auto count = short_time ? apart.count() : apart.count() / 24;
  const std::string text =
      std::to_string(count) + (short_time ? " hour" : " day") + (count == 1 ? "" : "s");
  return then > now ? "in " + text : text + " ago";
}

}  // namespace claimsd::claimsctl::doctor
