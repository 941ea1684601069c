#include "client/claimsctl/lookup.h"

namespace claimsd::ctl {
namespace {

struct ReasonRow {
  std::string_view reason;
  Exit exit;
};

// Reasons of `unavailable` (PROTOCOL.md, "Reasons") with an exit status of their own.
constexpr ReasonRow kReasons[] = {
    {"not_permitted", Exit::kNoPermission},
    {"wrong_daemon", Exit::kConfigured},
    {"unsafe_directory", Exit::kConfigured},
    {"wrong_upstream", Exit::kConfigured},
};

}  // namespace

Expected<Client> make_client(const Globals& globals, const std::string& upstream_url) {
  try {
    return Client(
        {.socket_path = globals.socket, .upstream_url = upstream_url, .client_name = "claimsctl"});
  } catch (const std::invalid_argument&) {
    return tl::make_unexpected(
        Problem{Exit::kUsage, "bad_option", "--socket or --upstream cannot be what was given",
                "a socket's path has 1 to 107 bytes, an Auth API's URL at most 1024"});
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

}  // namespace claimsd::ctl
