// Checks of the two sockets and of who may use them.
#include <fmt/core.h>

#include <algorithm>

#include "client/claimsctl/admin_client.h"
#include "client/claimsctl/doctor/checks.h"

namespace claimsd::claimsctl::doctor {
namespace {

constexpr std::uint32_t kWritableByGroup = 020;
constexpr std::uint32_t kWritableByOthers = 002;
constexpr std::uint32_t kSearchableByOthers = 001;
constexpr std::string_view kClaimsGroup = "daemon.socket_group";
constexpr std::string_view kClaimsUnit = "claimsd.socket";
constexpr char kStartHttp[] =
    "systemctl stop claimsd, then: systemctl start claimsd-http.socket claimsd";

std::string configured_elsewhere(const Facts& facts, const SocketFacts& socket, bool admin) {
  if (!facts.config) return "";
  const auto& daemon = facts.config->config.daemon;
  const std::string path = admin ? daemon.admin_socket : daemon.socket;
  if (path == socket.socket.path) return "";
  return fmt::format("the configuration has another path; run: claimsctl {} {} doctor",
                     admin ? "--admin-socket" : "--socket", path);
}

// Checks of a path that exists; empty if there is no fault.
std::optional<Finding> judge_file(const Facts& facts, const SocketFacts& socket,
                                  std::string_view start) {
  if ((**socket.socket.found).kind != FileKind::kSocket)
    return Finding{State::kFailed, fmt::format("{} is not a socket", socket.socket.path),
                   fmt::format("remove it, then: {}", start)};
  if (!socket.directory.found || !*socket.directory.found) return std::nullopt;
  const auto fault = store::judge_socket_directory(socket.directory.path, **socket.directory.found,
                                                   facts.daemon_uid);
  if (!fault) return std::nullopt;
  return Finding{State::kFailed, fault->what, fault->fix};
}

// Checks that apply to both sockets; empty if there is no fault.
std::optional<Finding> judge_place(const Facts& facts, const SocketFacts& socket, bool admin) {
  const std::string& path = socket.socket.path;
  if (!socket.socket.found)
    return Finding{State::kUnchecked, socket.socket.found.error().message, kRunAsRoot};
  if (!*socket.socket.found) {
    const std::string other = configured_elsewhere(facts, socket, admin);
    return Finding{State::kFailed, fmt::format("{} does not exist", path),
                   other.empty() ? kRestart : other};
  }
  return judge_file(facts, socket, kRestart);
}

std::string who(const SocketFacts& socket) {
  return fmt::format("{}:{}, mode {:04o}", socket.socket.owner, socket.socket.group,
                     (**socket.socket.found).mode);
}

bool holds(const std::vector<std::uint32_t>& list, std::uint32_t id) {
  return std::find(list.begin(), list.end(), id) != list.end();
}

// connect(2) needs write permission on the socket: path_resolution(7).
bool may_open(const User& user, const FileFacts& socket) {
  if (user.uid == 0) return true;
  if (user.uid == socket.uid) return (socket.mode & 0200) != 0;
  if (holds(user.gids, socket.gid)) return (socket.mode & kWritableByGroup) != 0;
  return (socket.mode & kWritableByOthers) != 0;
}

// Never suggest joining root's own group, which grants far more than the right to query. `option`
// is that of the socket's group, `unit` the systemd unit that may hold it.
std::string let_in(const Place& socket, std::string_view user, std::string_view option,
                   std::string_view unit) {
  if ((**socket.found).gid == 0) {
    return fmt::format(
        "set {} = \"claimsd-clients\", or SocketGroup= in {} if systemd holds the socket; add the "
        "users that the workers run as to that group; then restart the socket unit, claimsd and "
        "the workers",
        option, unit);
  }
  return fmt::format("usermod --append --groups {} {}, then restart the processes of that user",
                     socket.group, user);
}

Finding judge_worker(const User& user, const Facts& facts) {
  const auto& daemon = facts.config->config.daemon;
  const SocketFacts& socket = facts.claims_socket;
  if (!may_open(user, **socket.socket.found)) {
    return {State::kFailed,
            fmt::format("user {} cannot open {} ({})", user.name, socket.socket.path, who(socket)),
            let_in(socket.socket, user.name, kClaimsGroup, kClaimsUnit)};
  }
  const bool listed = daemon.allowed_uids.empty() && daemon.allowed_gids.empty();
  const bool primary = !user.gids.empty() && holds(daemon.allowed_gids, user.gids.front());
  if (user.uid != 0 && !listed && !holds(daemon.allowed_uids, user.uid) && !primary) {
    return {State::kFailed,
            fmt::format(
                "user {} (uid {}) is not in daemon.allowed_uids, and its primary group is not in "
                "daemon.allowed_gids",
                user.name, user.uid),
            fmt::format("add {} to daemon.allowed_uids, then: claimsctl reload", user.uid)};
  }
  return {State::kOk, fmt::format("user {} may query", user.name), ""};
}

// Without a user to check: is any user allowed to query?
Finding judge_group(const Facts& facts) {
  const SocketFacts& socket = facts.claims_socket;
  const FileFacts& found = **socket.socket.found;
  if ((found.mode & kWritableByOthers) != 0)
    return {State::kOk, "every user of this host may query", ""};
  std::string names;
  for (const auto& name : socket.members) {
    if (name != facts.daemon_user) names += (names.empty() ? "" : ", ") + name;
  }
  if (!names.empty())
    return {State::kOk,
            fmt::format("members of group {} may query: {}", socket.socket.group, names), ""};
  return {State::kWarning,
          fmt::format("group {} has no members: only root may query", socket.socket.group),
          let_in(socket.socket, "USER", kClaimsGroup, kClaimsUnit)};
}

}  // namespace

Findings check_claims_socket(const Facts& facts) {
  if (auto finding = judge_place(facts, facts.claims_socket, false)) return {*finding};
  if (facts.claims_socket.directory.found && *facts.claims_socket.directory.found) {
    const FileFacts& directory = **facts.claims_socket.directory.found;
    if ((directory.mode & kSearchableByOthers) == 0) {
      return {{State::kWarning,
               fmt::format("some workers cannot reach {}: its directory has mode {:04o}",
                           facts.claims_socket.socket.path, directory.mode),
               fmt::format("chmod o+x {}", facts.claims_socket.directory.path)}};
    }
  }
  return {{State::kOk,
           fmt::format("{} ({})", facts.claims_socket.socket.path, who(facts.claims_socket)), ""}};
}

Findings check_admin_socket(const Facts& facts) {
  if (auto finding = judge_place(facts, facts.admin_socket, true)) return {*finding};
  const SocketFacts& socket = facts.admin_socket;
  if (((**socket.socket.found).mode & kWritableByOthers) != 0) {
    return {{State::kFailed,
             fmt::format("every user of this host may revoke and purge: {} ({})",
                         socket.socket.path, who(socket)),
             "set SocketMode=0660 in claimsd-admin.socket, or daemon.admin_socket_mode"}};
  }
  return {{State::kOk, fmt::format("{} ({})", socket.socket.path, who(socket)), ""}};
}

// Off by default.
Findings check_http_socket(const Facts& facts) {
  const SocketFacts& socket = facts.http_socket;
  const std::string& path = socket.socket.path;
  if (!socket.socket.found)
    return {{State::kUnchecked, socket.socket.found.error().message, kRunAsRoot}};
  const bool configured = facts.config && !facts.config->config.http.socket.empty();
  const bool served = !facts.daemon || facts.daemon->serves_http;
  if (!*socket.socket.found && !configured)
    return {{State::kOk, "off: claimsd answers libclaimsd only", ""}};
  if (!*socket.socket.found)
    return {{State::kFailed, fmt::format("{} does not exist", path), "systemctl restart claimsd"}};
  if (auto finding = judge_file(facts, socket, kStartHttp)) return {*finding};
  if (!served)
    return {
        {State::kFailed, fmt::format("the running daemon does not serve {}", path), kStartHttp}};
  // check_groups() reports users who may not even open the claims socket.
  const auto& claims = facts.claims_socket.socket.found;
  for (const User& user : facts.workers) {
    if (may_open(user, **socket.socket.found)) continue;
    if (claims && *claims && !may_open(user, **claims)) continue;
    return {{State::kFailed,
             fmt::format("user {} cannot open {} ({})", user.name, path, who(socket)),
             let_in(socket.socket, user.name, "http.socket_group", "claimsd-http.socket")}};
  }
  return {{State::kOk, fmt::format("{} ({})", path, who(socket)), ""}};
}

Findings check_groups(const Facts& facts) {
  const auto& socket = facts.claims_socket.socket;
  if (!socket.found || !*socket.found)
    return {{State::kUnchecked, "there is no claims socket",
             "resolve the check \"claims socket\" first"}};
  Findings all;
  for (const auto& name : facts.unknown_workers)
    all.push_back({State::kFailed, fmt::format("user {} does not exist on this host", name),
                   "name an existing user with --worker"});
  for (const auto& user : facts.workers) all.push_back(judge_worker(user, facts));
  if (all.empty()) all.push_back(judge_group(facts));
  return all;
}

}  // namespace claimsd::claimsctl::doctor
