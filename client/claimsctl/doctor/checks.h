// checks.h: the table of the doctor's checks. Each judges collected facts (facts.h) and does no
// I/O. Single-threaded.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "client/claimsctl/doctor/facts.h"

namespace claimsd::claimsctl::doctor {

enum class State : std::uint8_t {
  kOk,
  kUnchecked,  // could not be checked; `says` has the reason, `fix` the remedy
  kWarning,    // works now, but may fail soon
  kFailed,
};

// "fine", "unchecked", "warning", "wrong".
std::string_view name_of(State state);

struct Finding {
  State state = State::kOk;
  std::string says;
  std::string fix;  // the suggested fix; empty if all is fine
};

using Findings = std::vector<Finding>;

// The fix for facts that this user may not read.
inline constexpr char kRunAsRoot[] = "run claimsctl doctor as root";

enum class Needs : bool { kNothing, kConfiguration };

// A row of the table. `judge` returns at least one finding. With kConfiguration it is called only
// if there is a configuration; `Facts::configured` is then set.
struct Check {
  std::string_view name;   // for programs: "host_key"
  std::string_view title;  // for people: "host key"
  std::string_view looks;  // what it checks: one line for the manual
  Needs needs;
  Findings (*judge)(const Facts& facts);
};

std::span<const Check> checks();

// The findings of one check. Handles checks that need a configuration when there is none.
Findings judge(const Check& check, const Facts& facts);

// "in 89 days", "3 hours ago": the distance of `then` from `now`.
std::string distance_text(WallTime now, WallTime then);

// The `judge` functions, defined in check_*.cc.
Findings check_configuration(const Facts& facts);
Findings check_in_effect(const Facts& facts);
Findings check_daemon(const Facts& facts);
Findings check_claims_socket(const Facts& facts);
Findings check_admin_socket(const Facts& facts);
Findings check_http_socket(const Facts& facts);
Findings check_groups(const Facts& facts);
Findings check_answer(const Facts& facts);
Findings check_host_key(const Facts& facts);
Findings check_cache(const Facts& facts);
Findings check_revocations(const Facts& facts);
Findings check_audit(const Facts& facts);
Findings check_disk(const Facts& facts);
Findings check_clock(const Facts& facts);
Findings check_auth_api(const Facts& facts);
Findings check_transport(const Facts& facts);
Findings check_certificate(const Facts& facts);
Findings check_client_certificate(const Facts& facts);

}  // namespace claimsd::claimsctl::doctor
