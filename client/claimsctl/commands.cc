#include <algorithm>

#include "client/claimsctl/command.h"

namespace claimsd::claimsctl {
namespace {

// clang-format off
constexpr CommandRow kCommands[] = {
  {"query",  "[OPTIONS] < TOKEN", "Whose token is this? Asks as a worker does", make_query},
  {"status", "[OPTIONS]", "Is the daemon well, and if not, what to do", make_status},
  {"doctor", "[OPTIONS]", "What is wrong on this host, with the daemon or around it, and how to fix it", make_doctor},
  {"top",    "[OPTIONS]", "What it does now: lookups, Auth APIs, who asks; follows until q", make_top},
  {"statistics", "[OPTIONS]", "What it has counted since it started", make_statistics},
  {"entries", "[OPTIONS]", "What its cache holds: users and times, never tokens or emails", make_entries},
  {"show",   "[OPTIONS] < TOKEN", "What it knows of a token or a user, without the email", make_show},
  {"monitor", "[OPTIONS]", "What happens, as it happens", make_monitor},
  {"metrics", "[OPTIONS]", "Its metrics, as Prometheus reads them", make_metrics},
  {"ping",   "[OPTIONS]", "How long the daemon takes to answer at all", make_ping},
  {"purge",  "[OPTIONS] < TOKEN", "Forget a token, a user or everybody: the Auth API is asked again", make_purge},
  {"revoke", "[OPTIONS] < TOKEN", "Deny a token, a user or everybody, whatever the Auth API says", make_revoke},
  {"config", "[OPTIONS]", "Each option of the running daemon, and where its value comes from", make_config},
  {"check-config", "[OPTIONS] [FILE]", "Is this a configuration? As `claimsd --check`", make_check_config},
  {"reload", "[OPTIONS]", "Have the configuration read again: all of it takes effect, or nothing", make_reload},
  {"log-level", "[OPTIONS] [LEVEL]", "How much is logged, or to log more or less for a while", make_log_level},
  {"audit",  "[OPTIONS] COMMAND", "Who was refused, when, and did anyone touch the record", make_audit},
};
// clang-format on

}  // namespace

std::span<const CommandRow> commands() {
  return kCommands;
}

namespace {

bool is_nine_digits(const std::string& text) {
  return !text.empty() && text.size() <= 9 &&
         std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

}  // namespace

std::string check_milliseconds(const std::string& text) {
  return is_nine_digits(text) ? "" : "must be a whole number of milliseconds, at most 999999999";
}

std::string check_count(const std::string& text) {
  return is_nine_digits(text) ? "" : "must be a whole number";
}

}  // namespace claimsd::claimsctl
