// Reads files, file systems and users of this host.
#include <fmt/core.h>
#include <grp.h>
#include <linux/magic.h>
#include <pwd.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>

#include "client/claimsctl/doctor/gather.h"
#include "daemon/store/private_directory.h"

namespace claimsd::ctl::doctor {
namespace {

constexpr int kMostGroups = 1024;  // per user

std::string name_of_gid(std::uint32_t gid) {
  const group* const found = ::getgrgid(gid);
  return found != nullptr ? found->gr_name : fmt::format("{}", gid);
}

User user_of(const passwd& entry) {
  User user{.name = entry.pw_name, .uid = entry.pw_uid, .gids = {entry.pw_gid}};
  std::array<gid_t, kMostGroups> groups{};
  int count = kMostGroups;
  if (::getgrouplist(entry.pw_name, entry.pw_gid, groups.data(), &count) > 0)
    user.gids.insert(user.gids.end(), groups.begin(), groups.begin() + count);
  return user;
}

}  // namespace

Place look_at(const std::string& path) {
  struct stat found {};
  if (::lstat(path.c_str(), &found) != 0) {
    if (errno == ENOENT || errno == ENOTDIR) return {path, std::optional<FileFacts>(), "", ""};
    return {path,
            daemon::failure(fmt::format("cannot inspect {}: {}", path, strerrordesc_np(errno))), "",
            ""};
  }
  return {path, daemon::file_facts(found), name_of_uid(found.st_uid), name_of_gid(found.st_gid)};
}

Result<DiskFacts> look_at_disk_of(const std::string& path) {
  std::filesystem::path at(path);
  struct statvfs space {};
  while (::statvfs(at.c_str(), &space) != 0) {
    if (errno != ENOENT || at == at.parent_path())
      return daemon::failure(
          fmt::format("cannot inspect the file system of {}: {}", path, strerrordesc_np(errno)));
    at = at.parent_path();
  }
  struct statfs kind {};
  const bool known = ::statfs(at.c_str(), &kind) == 0;
  return DiskFacts{.free_bytes = space.f_bavail * space.f_frsize,
                   .total_bytes = space.f_blocks * space.f_frsize,
                   // Some file systems report no inode count and never run out of inodes.
                   .no_free_files = space.f_files != 0 && space.f_favail == 0,
                   .in_memory = known && (kind.f_type == TMPFS_MAGIC || kind.f_type == RAMFS_MAGIC),
                   .read_only = (space.f_flag & ST_RDONLY) != 0};
}

std::optional<User> find_user(const std::string& name) {
  const passwd* const entry = ::getpwnam(name.c_str());
  if (entry == nullptr) return std::nullopt;
  return user_of(*entry);
}

User current_user() {
  const passwd* const entry = ::getpwuid(::geteuid());
  if (entry != nullptr) return user_of(*entry);
  return {.name = fmt::format("uid {}", ::geteuid()), .uid = ::geteuid(), .gids = {::getegid()}};
}

std::string name_of_uid(std::uint32_t uid) {
  const passwd* const entry = ::getpwuid(uid);
  return entry != nullptr ? entry->pw_name : fmt::format("{}", uid);
}

// Members listed in the group entry plus users in /etc/passwd with it as their primary group.
// getpwent(3) is avoided: it could enumerate a directory of thousands.
std::vector<std::string> members_of_gid(std::uint32_t gid) {
  std::vector<std::string> names;
  if (const group* const found = ::getgrgid(gid)) {
    for (char** name = found->gr_mem; *name != nullptr; ++name) names.emplace_back(*name);
  }
  std::FILE* const file = std::fopen("/etc/passwd", "re");
  if (file == nullptr) return names;
  while (const passwd* const entry = ::fgetpwent(file)) {
    if (entry->pw_gid == gid) names.emplace_back(entry->pw_name);
  }
  std::fclose(file);
  return names;
}

}  // namespace claimsd::ctl::doctor
