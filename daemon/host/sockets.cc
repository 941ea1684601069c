#include "daemon/host/sockets.h"

#include <errno.h>
#include <fcntl.h>
#include <fmt/core.h>
#include <grp.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstring>

#include "daemon/base/parse_integer.h"
#include "daemon/store/private_directory.h"

namespace claimsd::host {
namespace {

Result<std::optional<gid_t>> find_group(const std::string& group) {
  if (group.empty()) return std::optional<gid_t>();
  if (const auto gid = parse_integer<gid_t>(group)) return gid;
  const ::group* const found = getgrnam(group.c_str());
  if (found == nullptr) {
    return failure(
        fmt::format("group \"{0}\" does not exist: run groupadd --system {0}, or set another group "
                    "in socket_group",
                    group));
  }
  return std::optional<gid_t>(found->gr_gid);
}

tl::unexpected<Error> cannot_open(const std::string& directory, int error) {
  // O_NOFOLLOW and O_DIRECTORY: open(2).
  if (error == ELOOP || error == ENOTDIR) {
    return failure(
        fmt::format("the socket directory {} is a symbolic link, or not a directory: configure the "
                    "path of the directory itself",
                    directory));
  }
  return failure(fmt::format(
      "cannot open the socket directory {}: {}: allow the daemon's user to search its path",
      directory, strerrordesc_np(error)));
}

}  // namespace

Status ensure_socket_directory(const std::filesystem::path& path) {
  const std::string parent = path.parent_path();
  const std::string directory = parent.empty() ? "." : parent;
  const bool made = mkdir(directory.c_str(), 0755) == 0;
  if (!made && errno != EEXIST) {
    return failure(
        fmt::format("cannot create the socket directory {}: {}: create it, or choose another path",
                    directory, strerrordesc_np(errno)));
  }
  struct stat found {};
  const Fd fd(
      open(directory.c_str(), (made ? O_RDONLY : O_PATH) | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (!fd) return cannot_open(directory, errno);
  // Independent of the daemon's umask: workers must reach the socket, whose own mode controls
  // access.
  if (made) fchmod(fd.get(), 0755);
  if (fstat(fd.get(), &found) != 0) return cannot_open(directory, errno);
  const auto fault = store::judge_socket_directory(directory, store::file_facts(found), geteuid());
  if (fault) return failure(fault->text());
  return {};
}

Result<loop::ListenOptions> socket_options(const std::filesystem::path& path, std::uint32_t mode,
                                           const std::string& group) {
  TRY(ensure_socket_directory(path));
  loop::ListenOptions options;
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

}  // namespace claimsd::host
