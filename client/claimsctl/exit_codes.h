// exit_codes.h: the exit statuses of claimsctl, as printed by `claimsctl --help`. Statuses above 2
// follow sysexits.h(3head).
#pragma once

#include <cstdint>
#include <string_view>

namespace claimsd::claimsctl {

// X(identifier, status, meaning).
// clang-format off
#define CLAIMSCTL_EXITS(X) \
  X(kOkay,         0,  "the token is valid, the daemon is healthy, or the command succeeded") \
  X(kInvalid,      1,  "the token is invalid, or the audit log was modified") \
  X(kUsage,        2,  "wrong usage") \
  X(kUnavailable,  69, "unavailable: the daemon or the Auth API did not answer, or is degraded") \
  X(kTryAgain,     75, "in effect here, but not on disk, not in the audit log, or not on all hosts yet") \
  X(kNoPermission, 77, "permission denied") \
  X(kConfigError,   78, "configuration error: an invalid file, no Auth API or another one, or an untrusted daemon")
// clang-format on

enum class Exit : std::uint8_t {
#define CLAIMSCTL_EXIT_ENUM(identifier, status, meaning) identifier = status,
  CLAIMSCTL_EXITS(CLAIMSCTL_EXIT_ENUM)
#undef CLAIMSCTL_EXIT_ENUM
};

// Calls `visit(status, meaning)` for each row.
template <class Visit>
void each_exit(Visit&& visit) {
#define CLAIMSCTL_EXIT_VISIT(identifier, status, meaning) visit(status, std::string_view(meaning));
  CLAIMSCTL_EXITS(CLAIMSCTL_EXIT_VISIT)
#undef CLAIMSCTL_EXIT_VISIT
}

}  // namespace claimsd::claimsctl
