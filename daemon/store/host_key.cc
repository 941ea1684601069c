#include "daemon/store/host_key.h"

#include <errno.h>
#include <fcntl.h>
#include <fmt/core.h>
#include <openssl/crypto.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>

#include "daemon/base/fd.h"
#include "daemon/store/private_directory.h"

namespace claimsd::daemon {
namespace {

using KeyBytes = std::array<char, kHostKeySize>;

std::string directory_of(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

Result<Secret> read_key(const std::string& path, Fd fd, HostKeySource source) {
  struct stat file {};
  if (fstat(fd.get(), &file) != 0) {
    return failure(fmt::format("cannot examine the host key {}: {}", path, errno_text(errno)));
  }
  if (const auto fault = judge_host_key(path, file_facts(file), source, geteuid()))
    return failure(fault->text());
  KeyBytes bytes{};
  const ssize_t got = pread(fd.get(), bytes.data(), bytes.size(), 0);
  if (got != static_cast<ssize_t>(bytes.size())) {
    return failure(fmt::format("cannot read the host key {}: {}", path,
                               got < 0 ? errno_text(errno) : "the file is truncated"));
  }
  Secret key(std::string_view(bytes.data(), bytes.size()));
  OPENSSL_cleanse(bytes.data(), bytes.size());
  return key;
}

// A null Fd means that the file does not exist.
Result<Fd> open_key(const std::string& path) {
  // O_NONBLOCK: a FIFO at this path must not block startup.
  Fd fd(open(path.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK));
  if (fd || errno == ENOENT) return fd;
  if (errno == ELOOP) {
    return failure(
        fmt::format("the host key {} is a symbolic link: configure the file itself", path));
  }
  return failure(fmt::format("cannot open the host key {}: {}; allow the daemon's user to read it",
                             path, errno_text(errno)));
}

Status write_new(const std::string& path, Random& random) {
  Fd fd(open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0400));
  if (!fd) return failure(errno_text(errno));
  KeyBytes bytes{};
  random.fill(bytes.data(), bytes.size());
  const ssize_t wrote = write(fd.get(), bytes.data(), bytes.size());
  const int error = errno;
  OPENSSL_cleanse(bytes.data(), bytes.size());
  if (wrote != static_cast<ssize_t>(bytes.size())) {
    return failure(wrote < 0 ? errno_text(error) : "the disk is full");
  }
  if (fsync(fd.get()) != 0) return failure(errno_text(errno));
  return {};
}

// Writes a temporary file and link(2)s it, which never replaces an existing one: the key is
// complete or absent, and if two daemons race, one wins.
Status create_key(const std::string& path, Random& random) {
  const std::string directory = directory_of(path);
  TRY(ensure_guarded_directory(directory));
  std::uint64_t suffix = 0;
  random.fill(&suffix, sizeof suffix);
  const std::string fresh = fmt::format("{}.{:016x}.new", path, suffix);
  Status made = write_new(fresh, random);
  if (made && link(fresh.c_str(), path.c_str()) != 0 && errno != EEXIST) {
    made = failure(errno_text(errno));
  }
  unlink(fresh.c_str());
  if (!made) {
    return failure(
        fmt::format("cannot create the host key {}: {}; allow the daemon's user to write to {}, or "
                    "configure another path",
                    path, made.error().message, directory));
  }
  const Fd entries(open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (entries) fsync(entries.get());  // otherwise a power failure costs a cold start
  return {};
}

}  // namespace

Result<Secret> load_host_key(const std::string& path, HostKeySource source, Random& random) {
  Fd fd = TRY(open_key(path));
  if (!fd && source == HostKeySource::kFile) {
    TRY(create_key(path, random));
    fd = TRY(open_key(path));
  }
  if (!fd) {
    return failure(fmt::format(
        "the host key {} does not exist: provide it, for example with LoadCredential=", path));
  }
  if (source == HostKeySource::kFile) TRY(ensure_guarded_directory(directory_of(path)));
  return read_key(path, std::move(fd), source);
}

}  // namespace claimsd::daemon
