// Checks of the configuration, the running daemon, and whether it answers.
#include <fmt/core.h>

#include <algorithm>

#include "client/claimsctl/doctor/checks.h"
#include "client/claimsctl/output.h"

namespace claimsd::claimsctl::doctor {
namespace {

constexpr std::uint32_t kWritableByGroupOrOthers = 022;
constexpr std::uint32_t kReadableByOthers = 004;
constexpr std::size_t kMaxNamed = 3;  // differing options that are named

std::string first_line(const std::string& text) {
  return text.substr(0, text.find('\n'));
}

bool may_read(const Place& file, const Facts& facts) {
  const FileFacts& found = **file.found;
  if (facts.daemon_uid == 0) return true;
  if (found.uid == facts.daemon_uid) return (found.mode & 0400) != 0;
  const auto& gids = facts.daemon_gids;
  if (std::find(gids.begin(), gids.end(), found.gid) != gids.end()) return (found.mode & 0040) != 0;
  return (found.mode & kReadableByOthers) != 0;
}

// A proxy URL may contain a password.
bool may_hold_a_password(const config::Config& config) {
  return std::any_of(config.upstreams.begin(), config.upstreams.end(),
                     [](const auto& upstream) { return !upstream.proxy.empty(); });
}

Finding judge_config_file(const Facts& facts) {
  const Place& file = facts.config_file;
  const std::size_t upstreams = facts.config->config.upstreams.size();
  if (!file.found || !*file.found)  // it was readable a moment ago
    return {State::kUnchecked, fmt::format("{} was created or removed during the check", file.path),
            "run claimsctl doctor again"};
  const FileFacts& found = **file.found;
  if ((found.mode & kWritableByGroupOrOthers) != 0) {
    return {State::kFailed,
            fmt::format(
                "{} (mode {:04o}) is writable by users other than its owner {}: they can redirect "
                "tokens to another server",
                file.path, found.mode, file.owner),
            fmt::format("chmod go-w {}", file.path)};
  }
  if (!may_read(file, facts)) {
    return {State::kFailed,
            fmt::format("the daemon's user {} cannot read {} ({}:{}, mode {:04o})",
                        facts.daemon_user, file.path, file.owner, file.group, found.mode),
            fmt::format("chgrp {} {} && chmod 0640 {}", facts.daemon_user, file.path, file.path)};
  }
  if (may_hold_a_password(facts.config->config) && (found.mode & kReadableByOthers) != 0) {
    return {State::kWarning,
            fmt::format("every user can read {}, which may contain a proxy password", file.path),
            fmt::format("chmod o-r {}", file.path)};
  }
  return {State::kOk,
          fmt::format("{} is valid and has {} Auth API{}", file.path, upstreams,
                      upstreams == 1 ? "" : "s"),
          ""};
}

}  // namespace

Findings check_configuration(const Facts& facts) {
  if (facts.config) {
    Findings all = {judge_config_file(facts)};
    if (all.front().state == State::kFailed) return all;
    // They say it better than "ok".
    if (!facts.start_faults.empty()) all.clear();
    for (const std::string& fault : facts.start_faults)
      all.push_back({State::kFailed, fmt::format("the daemon would fail to start: {}", fault),
                     "correct it, then: claimsctl check-config && systemctl restart claimsd"});
    return all;
  }
  if (facts.config_denied) return {{State::kUnchecked, facts.config.error().message, kRunAsRoot}};
  Findings all;
  std::string_view rest = facts.config.error().message;
  while (!rest.empty()) {
    const auto end = std::min(rest.find('\n'), rest.size());
    all.push_back({State::kFailed, std::string(rest.substr(0, end)),
                   "correct it, then: claimsctl check-config && systemctl restart claimsd"});
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  return all;
}

Findings check_daemon(const Facts& facts) {
  if (!facts.daemon) {
    const Problem& why = facts.daemon.error();
    const bool unseen = why.exit == Exit::kNoPermission;
    return {{unseen ? State::kUnchecked : State::kFailed, first_line(why.message), why.hint}};
  }
  const DaemonFacts& daemon = *facts.daemon;
  Findings all;
  if (daemon.version != facts.version) {
    all.push_back({State::kWarning,
                   fmt::format("the daemon has version {}, this claimsctl has {}", daemon.version,
                               facts.version),
                   "systemctl restart claimsd, if a newer version is installed"});
  }
  for (const auto& trouble : daemon.troubles)
    all.push_back({State::kFailed, trouble.message, trouble.hint});
  if (all.empty()) {
    all.push_back({State::kOk,
                   fmt::format("healthy, version {}, pid {}, up for {}", daemon.version, daemon.pid,
                               duration_text(daemon.uptime_seconds)),
                   ""});
  }
  return all;
}

Findings check_in_effect(const Facts& facts) {
  if (!facts.daemon)
    return {{State::kUnchecked, "the daemon did not report its configuration",
             "resolve the check \"daemon\" first"}};
  std::vector<std::string> differ;
  for (const auto& setting : facts.config->settings) {
    const auto& options = facts.daemon->options;
    const auto found = std::find_if(options.begin(), options.end(), [&](const auto& option) {
      return option.option == setting.option;
    });
    if (found == options.end() || found->value != setting.value) differ.push_back(setting.option);
  }
  if (differ.empty()) return {{State::kOk, "the running daemon uses the file as it is now", ""}};
  std::string names;
  for (std::size_t at = 0; at < std::min(differ.size(), kMaxNamed); ++at)
    names += (at == 0 ? "" : ", ") + differ[at];
  if (differ.size() > kMaxNamed) names += fmt::format(" and {} more", differ.size() - kMaxNamed);
  return {{State::kWarning,
           fmt::format("the running daemon uses other values than {} for: {}",
                       facts.config_file.path, names),
           "run claimsctl reload; it names the options that need a restart"}};
}

Findings check_answer(const Facts& facts) {
  const PingFacts& ping = facts.ping;
  if (ping.answered) return {{State::kOk, "the daemon answers libclaimsd", ""}};
  if (ping.reason == "not_permitted") {
    return {{State::kUnchecked,
             fmt::format("{} is not allowed to query: {}", facts.caller.name, ping.text),
             "run claimsctl doctor as root or as a member of the socket's group"}};
  }
  const std::string fix =
      ping.reason == "wrong_daemon"
          ? "resolve the check \"claims socket\" first: libclaimsd trusts only "
            "root and the owner of the socket's directory; in a user "
            "namespace, set daemon_uid"
          : "resolve the checks \"daemon\" and \"claims socket\" first; if both are "
            "ok, read the log: journalctl -u claimsd";
  return {{State::kFailed, fmt::format("{}: {}", ping.reason, ping.text), fix}};
}

}  // namespace claimsd::claimsctl::doctor
