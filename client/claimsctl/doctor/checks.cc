#include "client/claimsctl/doctor/checks.h"

namespace claimsd::claimsctl::doctor {
namespace {

// clang-format off
constexpr Check kChecks[] = {
  {"configuration", "configuration", "that the file is a configuration which the daemon may read and others may not change",
   Needs::kNothing, check_configuration},
  {"daemon", "daemon", "that it runs, is well by its own account, and is of the version of claimsctl",
   Needs::kNothing, check_daemon},
  {"in_effect", "in effect", "that the running daemon works by what the file says now",
   Needs::kConfiguration, check_in_effect},
  {"claims_socket", "claims socket", "that it is there, and who may open or replace it",
   Needs::kNothing, check_claims_socket},
  {"admin_socket", "admin socket", "the same of the admin socket, which is not for everybody",
   Needs::kNothing, check_admin_socket},
  {"groups", "groups", "that the users of workers (--worker) may ask: groups, modes, allowed_uids and allowed_gids",
   Needs::kConfiguration, check_groups},
  {"answer", "answer", "that the daemon answers libclaimsd, as it would a worker",
   Needs::kNothing, check_answer},
  {"host_key", "host key", "owner, mode and size of cache.key_file, and of its directory",
   Needs::kConfiguration, check_host_key},
  {"cache", "cache", "owner and mode of cache.directory, and that it lies in memory",
   Needs::kConfiguration, check_cache},
  {"revocations", "revocations", "owner and mode of revocations.directory, and that it lies on a disk",
   Needs::kConfiguration, check_revocations},
  {"audit", "audit log", "owner and mode of audit.directory, and that it lies on a disk",
   Needs::kConfiguration, check_audit},
  {"disk", "disk", "room and files left where the cache, revocations and the audit log lie",
   Needs::kConfiguration, check_disk},
  {"clock", "clock", "that this host's clock is kept right, and agrees with the Auth API's",
   Needs::kNothing, check_clock},
  {"auth_api", "Auth API", "that each URL answers a request without a token, and refuses it",
   Needs::kConfiguration, check_auth_api},
  {"certificate", "certificate", "when the certificate of each Auth API ends",
   Needs::kConfiguration, check_certificate},
  {"client_certificate", "client certificate", "that upstream.NAME.client_certificate can be read, and when it ends",
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
    return {{State::kUnchecked, "not looked at: it takes a configuration to know where",
             "fix the configuration first"}};
  }
  return check.judge(facts);
}

std::string distance_text(WallTime now, WallTime then) {
  using std::chrono::hours;
  const auto apart = std::chrono::duration_cast<hours>(then > now ? then - now : now - then);
  const std::string text = apart < hours(48) ? std::to_string(apart.count()) + " h"
                                             : std::to_string(apart.count() / 24) + " d";
  return then > now ? "in " + text : text + " ago";
}

}  // namespace claimsd::claimsctl::doctor
