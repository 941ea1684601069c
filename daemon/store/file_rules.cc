#include "daemon/store/file_rules.h"

#include <fmt/core.h>

namespace claimsd::store {
namespace {

constexpr std::uint32_t kOpenToOthers = 077;
constexpr std::uint32_t kOpenBeyondAccessList = 037;
constexpr std::uint32_t kWritableByOthers = 022;
constexpr std::uint32_t kSticky = 01000;

std::optional<FileFault> judge_directory(const std::string& path, const FileFacts& found,
                                         std::uint32_t owner) {
  if (found.kind == FileKind::kLink)
    return FileFault{fmt::format("{} is a symbolic link", path), "configure the directory itself"};
  if (found.kind != FileKind::kDirectory)
    return FileFault{fmt::format("{} is not a directory", path),
                     "remove it, or configure another path"};
  if (found.uid != owner && found.uid != 0) {
    return FileFault{fmt::format("the directory {} belongs to uid {}", path, found.uid),
                     fmt::format("change its owner: chown {} {}", owner, path)};
  }
  return std::nullopt;
}

}  // namespace

std::optional<FileFault> judge_private_directory(const std::string& path, const FileFacts& found,
                                                 std::uint32_t owner) {
  if (auto fault = judge_directory(path, found, owner)) return fault;
  if ((found.mode & kOpenToOthers) == 0) return std::nullopt;
  return FileFault{
      fmt::format("other users can access the directory {} (mode {:04o})", path, found.mode),
      fmt::format("chmod 0700 {}, or configure a directory for the daemon alone", path)};
}

std::optional<FileFault> judge_guarded_directory(const std::string& path, const FileFacts& found,
                                                 std::uint32_t owner) {
  if (auto fault = judge_directory(path, found, owner)) return fault;
  if ((found.mode & kWritableByOthers) == 0 || (found.mode & kSticky) != 0) return std::nullopt;
  return FileFault{fmt::format("other users can replace files in the directory {} (mode {:04o})",
                               path, found.mode),
                   fmt::format("chmod go-w {}", path)};
}

std::optional<FileFault> judge_socket_directory(const std::string& path, const FileFacts& found,
                                                std::uint32_t owner) {
  if (auto fault = judge_directory(path, found, owner)) {
    if (found.kind == FileKind::kDirectory) fault->fix = fmt::format("chown root {}", path);
    return fault;
  }
  if ((found.mode & kWritableByOthers) == 0) return std::nullopt;
  return FileFault{fmt::format("other users can replace the socket in {} (mode {:04o}) and so "
                               "receive tokens",
                               path, found.mode),
                   fmt::format("chmod 0755 {}, or configure another path", path)};
}

std::optional<FileFault> judge_host_key(const std::string& path, const FileFacts& found,
                                        HostKeySource source, std::uint32_t owner) {
  if (found.kind == FileKind::kLink)
    return FileFault{fmt::format("the host key {} is a symbolic link", path),
                     "configure the file itself"};
  if (found.kind != FileKind::kRegular)
    return FileFault{fmt::format("the host key {} is not a regular file", path),
                     "remove it, or configure another path"};
  if (found.uid != owner && found.uid != 0) {
    return FileFault{
        fmt::format("the host key {} belongs to uid {}, which could know it", path, found.uid),
        "remove it; the daemon creates a new one"};
  }
  const bool by_access_list = source == HostKeySource::kCredential && found.uid == 0;
  if ((found.mode & (by_access_list ? kOpenBeyondAccessList : kOpenToOthers)) != 0) {
    return FileFault{
        fmt::format("other users can access the host key {} (mode {:04o})", path, found.mode),
        fmt::format("remove it, and the daemon creates a new one, or chmod 0400 {}", path)};
  }
  if (found.size != kHostKeySize) {
    return FileFault{
        fmt::format("the host key {} has {} bytes instead of {}", path, found.size, kHostKeySize),
        "remove it; the daemon creates a new one and its cache starts empty"};
  }
  return std::nullopt;
}

}  // namespace claimsd::store
