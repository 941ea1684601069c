#include "daemon/store/private_directory.h"

#include <errno.h>
#include <fcntl.h>
#include <fmt/core.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <system_error>

namespace claimsd::daemon {
namespace {

Result<FileFacts> make_and_examine(const std::string& path) {
  if (mkdir(path.c_str(), 0700) != 0 && errno != EEXIST) {
    return failure(
        fmt::format("cannot create the directory {}: {}; create its parent, or allow the daemon's "
                    "user to write there",
                    path, errno_text(errno)));
  }
  struct stat found {};
  if (lstat(path.c_str(), &found) != 0) {
    return failure(fmt::format("cannot examine the directory {}: {}", path, errno_text(errno)));
  }
  return file_facts(found);
}

Status status_of(const std::optional<FileFault>& fault) {
  if (fault) return failure(fault->text());
  return {};
}

FileKind kind_of(mode_t mode) {
  if (S_ISREG(mode)) return FileKind::kRegular;
  if (S_ISDIR(mode)) return FileKind::kDirectory;
  if (S_ISSOCK(mode)) return FileKind::kSocket;
  return S_ISLNK(mode) ? FileKind::kLink : FileKind::kOther;
}

}  // namespace

std::string errno_text(int error) {
  return std::generic_category().message(error);
}

FileFacts file_facts(const struct stat& found) {
  return {.kind = kind_of(found.st_mode),
          .mode = found.st_mode & 07777,
          .uid = found.st_uid,
          .gid = found.st_gid,
          .size = static_cast<std::uint64_t>(found.st_size)};
}

Status ensure_private_directory(const std::string& path) {
  const FileFacts found = TRY(make_and_examine(path));
  return status_of(judge_private_directory(path, found, geteuid()));
}

Status ensure_guarded_directory(const std::string& path) {
  const FileFacts found = TRY(make_and_examine(path));
  return status_of(judge_guarded_directory(path, found, geteuid()));
}

Result<DirectoryLock> DirectoryLock::acquire(const std::string& directory) {
  const std::string path = directory + "/lock";
  Fd fd(open(path.c_str(), O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (!fd) {
    return failure(
        fmt::format("cannot open the lock file {}: {}; allow the daemon's user to write there",
                    path, errno_text(errno)));
  }
  if (flock(fd.get(), LOCK_EX | LOCK_NB) != 0) {
    if (errno == EWOULDBLOCK) {
      return failure(fmt::format(
          "another daemon uses {}: stop it, or configure another directory for this one",
          directory));
    }
    return failure(fmt::format("cannot lock {}: {}", path, errno_text(errno)));
  }
  return DirectoryLock(std::move(fd));
}

}  // namespace claimsd::daemon
