#include "daemon/base/replace_file.h"

#include <errno.h>
#include <fcntl.h>
#include <fmt/core.h>
#include <unistd.h>

#include <cstdio>
#include <system_error>

#include "daemon/base/fd.h"

namespace claimsd {
namespace {

// These return 0 or errno.

int write_new(const std::string& path, std::string_view content) {
  const Fd fd(open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (!fd) return errno;
  const ssize_t wrote = write(fd.get(), content.data(), content.size());
  if (wrote < 0) return errno;
  if (wrote != static_cast<ssize_t>(content.size())) return ENOSPC;
  return fsync(fd.get()) == 0 ? 0 : errno;
}

int sync_directory_of(const std::string& path) {
  const std::string directory = path.substr(0, path.rfind('/') + 1);
  const Fd fd(
      open(directory.empty() ? "." : directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  return fd && fsync(fd.get()) == 0 ? 0 : errno;
}

}  // namespace

Status replace_file(const std::string& path, std::string_view content) {
  const std::string fresh = path + ".new";
  int error = write_new(fresh, content);
  if (error == 0 && rename(fresh.c_str(), path.c_str()) != 0) error = errno;
  if (error != 0) unlink(fresh.c_str());
  if (error == 0) error = sync_directory_of(path);
  if (error == 0) return {};
  return failure(
      fmt::format("cannot write {}: {}; free disk space, or allow the daemon's user to write there",
                  path, std::generic_category().message(error)));
}

}  // namespace claimsd
