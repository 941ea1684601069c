#include <algorithm>

#include "client/claimsctl/command.h"

namespace claimsd::claimsctl {
namespace {

// clang-format off
constexpr CommandRow kCommands[] = {
  {"query",  "[OPTIONS] < TOKEN", "Look up a token, as a worker does", make_query},
  {"status", "[OPTIONS]", "Show whether the daemon is healthy, and suggested fixes if it is not", make_status},
  {"doctor", "[OPTIONS]", "Check this host's claimsd setup and suggest fixes", make_doctor},
  {"test-upstream", "[OPTIONS] [NAME] < TOKEN", "Ask an Auth API once, and show its claims and what the configuration matches", make_test_upstream},
  {"top",    "[OPTIONS]", "Show live activity: lookups, Auth APIs and peers; q quits", make_top},
  {"statistics", "[OPTIONS]", "Show the counters since the daemon started", make_statistics},
  {"entries", "[OPTIONS]", "List the cached entries: users and times, never tokens or emails", make_entries},
  {"show",   "[OPTIONS] < TOKEN", "Show what the daemon knows about a token or a user, without the email", make_show},
  {"monitor", "[OPTIONS]", "Print events as they happen", make_monitor},
  {"metrics", "[OPTIONS]", "Print the metrics in the text format of Prometheus", make_metrics},
  {"ping",   "[OPTIONS]", "Measure the round trip to the daemon", make_ping},
  {"purge",  "[OPTIONS] < TOKEN", "Remove a token, a user's tokens or all tokens from the cache", make_purge},
  {"revoke", "[OPTIONS] < TOKEN", "Invalidate a token, a user's tokens or all tokens, whatever the Auth API says", make_revoke},
  {"revocations", "[OPTIONS]", "List the revocations in force, with the id of each", make_revocations},
  {"unrevoke", "[OPTIONS] ID", "Withdraw one revocation", make_unrevoke},
  {"fleet",  "[OPTIONS]", "Show the fleet of this host, and which of its hosts have all revocations", make_fleet},
  {"config", "[OPTIONS]", "Show each option of the running daemon and the origin of its value", make_config},
  {"check-config", "[OPTIONS] [FILE]", "Validate a configuration file, as `claimsd --check` does", make_check_config},
  {"reload", "[OPTIONS]", "Make the daemon reread its configuration: all changes take effect, or none", make_reload},
  {"retry",  "[OPTIONS] [NAME]", "End the backoff of a failing Auth API: the next query makes a request", make_retry},
  {"log-level", "[OPTIONS] [LEVEL]", "Show the log level, or change it temporarily", make_log_level},
  {"audit",  "[OPTIONS] COMMAND", "Search, verify and export the audit log", make_audit},
  {"help",   "[COMMAND]", "Print the help of claimsctl or of a command", make_help},
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

std::string check_upstream_name(const std::string& text) {
  constexpr std::string_view kAllowed =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-";
  const bool is_name = !text.empty() && text.find_first_not_of(kAllowed) == std::string::npos;
  return is_name ? "" : "must be the NAME of a table [upstream.NAME]";
}

}  // namespace claimsd::claimsctl
