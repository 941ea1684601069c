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
    return FileFault{fmt::format("{} is a symbolic link", path), "name the directory itself"};
  if (found.kind != FileKind::kDirectory)
    return FileFault{fmt::format("{} is not a directory", path), "remove it, or name another"};
  if (found.uid != owner && found.uid != 0) {
    return FileFault{fmt::format("the directory {} belongs to uid {}", path, found.uid),
                     fmt::format("it must be the daemon's own (chown {} {})", owner, path)};
  }
  return std::nullopt;
}

}  // namespace

std::optional<FileFault> judge_private_directory(const std::string& path, const FileFacts& found,
                                                 std::uint32_t owner) {
  if (auto fault = judge_directory(path, found, owner)) return fault;
  if ((found.mode & kOpenToOthers) == 0) return std::nullopt;
  return FileFault{
      fmt::format("the directory {} is open to others (mode {:04o})", path, found.mode),
      fmt::format("chmod 0700 {}, or name one that is the daemon's alone", path)};
}

std::optional<FileFault> judge_guarded_directory(const std::string& path, const FileFacts& found,
                                                 std::uint32_t owner) {
  if (auto fault = judge_directory(path, found, owner)) return fault;
  if ((found.mode & kWritableByOthers) == 0 || (found.mode & kSticky) != 0) return std::nullopt;
  return FileFault{
      fmt::format("others may replace files in the directory {} (mode {:04o})", path, found.mode),
      fmt::format("chmod go-w {}", path)};
}

std::optional<FileFault> judge_host_key(const std::string& path, const FileFacts& found,
                                        HostKeySource source, std::uint32_t owner) {
  if (found.kind == FileKind::kLink)
    return FileFault{fmt::format("the host key {} is a symbolic link", path),
                     "name the file itself"};
  if (found.kind != FileKind::kRegular)
    return FileFault{fmt::format("the host key {} is not a regular file", path),
                     "name another path, or remove it"};
  if (found.uid != owner && found.uid != 0) {
    return FileFault{
        fmt::format("the host key {} belongs to uid {}, who could know it", path, found.uid),
        "remove it and let the daemon make its own"};
  }
  const bool by_access_list = source == HostKeySource::kCredential && found.uid == 0;
  if ((found.mode & (by_access_list ? kOpenBeyondAccessList : kOpenToOthers)) != 0) {
    return FileFault{
        fmt::format("the host key {} is open to others (mode {:04o}), who may know it "
                    "by now",
                    path, found.mode),
        fmt::format("remove it and let the daemon make another, or chmod 0400 {}", path)};
  }
  if (found.size != kHostKeySize) {
    return FileFault{
        fmt::format("the host key {} has {} bytes instead of {}", path, found.size, kHostKeySize),
        "remove it and let the daemon make another (its cache then starts empty)"};
  }
  return std::nullopt;
}

}  // namespace claimsd::store
