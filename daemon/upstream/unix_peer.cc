#include "daemon/upstream/unix_peer.h"

#include <errno.h>
#include <fmt/core.h>
#include <pwd.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <filesystem>

#include "daemon/base/parse_integer.h"

namespace claimsd::upstream {
namespace {

std::optional<uid_t> user_named(const std::string& name) {
  if (const auto uid = parse_integer<uid_t>(name)) return uid;
  const passwd* const entry = getpwnam(name.c_str());
  if (entry == nullptr) return std::nullopt;
  return entry->pw_uid;
}

}  // namespace

Result<UnixPeer> UnixPeer::create(const std::string& path, const std::string& user) {
  if (path.size() >= sizeof(sockaddr_un::sun_path))
    return failure("the path of the socket is longer than 107 bytes");
  if (user.empty()) return UnixPeer(path, std::nullopt);
  const std::optional<uid_t> uid = user_named(user);
  if (!uid) return failure(fmt::format("there is no user {}: create it or correct the name", user));
  return UnixPeer(path, *uid);
}

Result<uid_t> UnixPeer::trusted_user() const {
  if (user_) return *user_;
  const std::string directory = std::filesystem::path(path_).parent_path();
  struct stat found {};
  if (stat(directory.c_str(), &found) != 0)
    return failure(fmt::format("cannot read {}: {}", directory, strerrordesc_np(errno)));
  if ((found.st_mode & S_IWOTH) != 0)
    return failure(fmt::format(
        "every user can write to {}: remove that permission, or set socket_user", directory));
  return found.st_uid;
}

Status UnixPeer::check(int fd) const {
  const uid_t trusted = TRY(trusted_user());
  ucred peer{};
  socklen_t size = sizeof peer;
  if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0)
    return failure(fmt::format("{}: unknown peer: {}", path_, strerrordesc_np(errno)));
  if (peer.uid != 0 && peer.uid != trusted)
    return failure(
        fmt::format("uid {} listens on {}, expected {} or root: stop that process, or "
                    "set socket_user",
                    peer.uid, path_, trusted));
  return {};
}

}  // namespace claimsd::upstream
