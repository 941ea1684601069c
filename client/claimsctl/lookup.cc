#include "client/claimsctl/lookup.h"

namespace claimsd::claimsctl {
namespace {

struct ReasonRow {
  std::string_view reason;
  Exit exit;
};

// The `unavailable` reasons (PROTOCOL.md, "Reasons") that have their own exit status.
constexpr ReasonRow kReasons[] = {
    {"not_permitted", Exit::kNoPermission},   {"wrong_daemon", Exit::kConfigError},
    {"unsafe_directory", Exit::kConfigError}, {"wrong_upstream", Exit::kConfigError},
    {"not_configured", Exit::kConfigError},
};

}  // namespace

Expected<Client> make_client(const Globals& globals, const std::string& upstream_url) {
  try {
    return Client(
        {.socket_path = globals.socket, .upstream_url = upstream_url, .client_name = "claimsctl"});
  } catch (const std::invalid_argument&) {
    return tl::make_unexpected(
        Problem{Exit::kUsage, "bad_option", "--socket or --upstream is invalid",
                "give a socket path of 1 to 107 bytes and an Auth API URL of at most 1,024 bytes"});
  }
}

Exit exit_of(const Answer& answer) {
  if (answer.valid()) return Exit::kOkay;
  if (answer.invalid()) return Exit::kInvalid;
  for (const auto& row : kReasons) {
    if (row.reason == answer.reason()) return row.exit;
  }
  return Exit::kUnavailable;
}

}  // namespace claimsd::claimsctl
