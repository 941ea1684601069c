#include "daemon/store/private_directory.h"

#include <errno.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>

#include <system_error>

namespace claimsd::daemon {
namespace {

Result<struct stat> make_and_examine(const std::string& path) {
  if (mkdir(path.c_str(), 0700) != 0 && errno != EEXIST) {
    return failure(
        fmt::format("cannot create the directory {}: {}; create its parent, or let the daemon's "
                    "user write there",
                    path, errno_text(errno)));
  }
  struct stat found {};
  if (lstat(path.c_str(), &found) != 0) {
    return failure(fmt::format("cannot examine the directory {}: {}", path, errno_text(errno)));
  }
  if (S_ISLNK(found.st_mode)) {
    return failure(fmt::format("{} is a symbolic link: name the directory itself", path));
  }
  if (!S_ISDIR(found.st_mode)) {
    return failure(fmt::format("{} is not a directory: remove it, or name another", path));
  }
  if (found.st_uid != geteuid() && found.st_uid != 0) {
    return failure(
        fmt::format("the directory {} belongs to uid {}: it must be the daemon's own (chown {} {})",
                    path, found.st_uid, geteuid(), path));
  }
  return found;
}

}  // namespace

std::string errno_text(int error) {
  return std::generic_category().message(error);
}

Status ensure_private_directory(const std::string& path) {
  const struct stat found = TRY(make_and_examine(path));
  if ((found.st_mode & 077) != 0) {
    return failure(
        fmt::format("the directory {} is open to others (mode {:04o}): chmod 0700 {}, or name one "
                    "that is the daemon's alone",
                    path, found.st_mode & 07777, path));
  }
  return {};
}

Status ensure_guarded_directory(const std::string& path) {
  const struct stat found = TRY(make_and_examine(path));
  if ((found.st_mode & 022) != 0 && (found.st_mode & S_ISVTX) == 0) {
    return failure(
        fmt::format("others may replace files in the directory {} (mode {:04o}): chmod go-w {}",
                    path, found.st_mode & 07777, path));
  }
  return {};
}

Result<DirectoryLock> DirectoryLock::acquire(const std::string& directory) {
  const std::string path = directory + "/lock";
  Fd fd(open(path.c_str(), O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (!fd) {
    return failure(
        fmt::format("cannot open the lock file {}: {}; let the daemon's user write there", path,
                    errno_text(errno)));
  }
  if (flock(fd.get(), LOCK_EX | LOCK_NB) != 0) {
    if (errno == EWOULDBLOCK) {
      return failure(fmt::format(
          "another daemon works in {}: stop it first, or give this one a directory of its own",
          directory));
    }
    return failure(fmt::format("cannot lock {}: {}", path, errno_text(errno)));
  }
  return DirectoryLock(std::move(fd));
}

}  // namespace claimsd::daemon
