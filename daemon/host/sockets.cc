#include "daemon/host/sockets.h"

#include <errno.h>
#include <fmt/core.h>
#include <grp.h>
#include <sys/stat.h>

#include <charconv>
#include <cstring>

namespace claimsd::daemon {
namespace {

Result<std::optional<gid_t>> find_group(const std::string& group) {
  if (group.empty()) return std::optional<gid_t>();
  gid_t gid = 0;
  const auto [end, error] = std::from_chars(group.data(), group.data() + group.size(), gid);
  if (error == std::errc() && end == group.data() + group.size()) return std::optional<gid_t>(gid);
  const ::group* const found = getgrnam(group.c_str());
  if (found == nullptr) {
    return failure(
        fmt::format("group \"{0}\" does not exist: run groupadd --system {0}, or set another group "
                    "in socket_group",
                    group));
  }
  return std::optional<gid_t>(found->gr_gid);
}

}  // namespace

Status ensure_directory_of(const std::filesystem::path& path) {
  const std::string directory = path.parent_path();
  if (mkdir(directory.c_str(), 0755) == 0) {
    // Independent of the daemon's umask: workers must reach the socket, whose own mode controls
    // access.
    chmod(directory.c_str(), 0755);
  } else if (errno != EEXIST) {
    return failure(
        fmt::format("cannot create the socket directory {}: {}: create it, or choose another path",
                    directory, strerrordesc_np(errno)));
  }
  return {};
}

Result<ListenOptions> socket_options(const std::filesystem::path& path, std::uint32_t mode,
                                     const std::string& group) {
  TRY(ensure_directory_of(path));
  ListenOptions options;
  options.path = path;
  options.mode = mode;
  options.group = TRY(find_group(group));
  return options;
}

std::optional<Fd> take_socket(std::vector<InheritedSocket>& sockets, std::string_view name) {
  for (InheritedSocket& socket : sockets) {
    if (socket.name == name && socket.fd) return std::move(socket.fd);
  }
  return std::nullopt;
}

}  // namespace claimsd::daemon
