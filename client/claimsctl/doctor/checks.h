// checks.h: what is right and wrong on a host, judged from facts alone: the one table of what the
// doctor looks at. Pure; one thread.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "client/claimsctl/doctor/facts.h"

namespace claimsd::ctl::doctor {

enum class State : std::uint8_t {
  kFine,
  kUnchecked,  // it could not be looked at; `says` tells why, `mend` how it can be
  kWarning,    // it works, and soon may not
  kWrong,
};

// "fine", "unchecked", "warning", "wrong".
std::string_view name_of(State state);

struct Finding {
  State state = State::kFine;
  std::string says;
  std::string mend;  // empty where all is fine
};

using Findings = std::vector<Finding>;

enum class Needs : bool { kNothing, kConfiguration };

// A row of the table. `judge` gives back at least one finding. With kConfiguration it is asked only
// where there is one, and then `Facts::configured` is set.
struct Check {
  std::string_view name;   // for programs: "host_key"
  std::string_view title;  // for people: "host key"
  std::string_view looks;  // what it looks at: one line for the manual
  Needs needs;
  Findings (*judge)(const Facts& facts);
};

std::span<const Check> checks();

// The findings of one check, whatever it needs.
Findings judge(const Check& check, const Facts& facts);

// "in 89 d", "3 d ago": the distance of `then` from `now`.
std::string distance_text(daemon::WallTime now, daemon::WallTime then);

// The rows' functions, in the files check_*.cc.
Findings check_configuration(const Facts& facts);
Findings check_in_effect(const Facts& facts);
Findings check_daemon(const Facts& facts);
Findings check_claims_socket(const Facts& facts);
Findings check_admin_socket(const Facts& facts);
Findings check_groups(const Facts& facts);
Findings check_answer(const Facts& facts);
Findings check_host_key(const Facts& facts);
Findings check_cache(const Facts& facts);
Findings check_revocations(const Facts& facts);
Findings check_audit(const Facts& facts);
Findings check_disk(const Facts& facts);
Findings check_clock(const Facts& facts);
Findings check_auth_api(const Facts& facts);
Findings check_certificate(const Facts& facts);
Findings check_client_certificate(const Facts& facts);

}  // namespace claimsd::ctl::doctor
