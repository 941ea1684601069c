#include "daemon/loop/unix_socket.h"

#include <errno.h>
#include <fcntl.h>
#include <fmt/core.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cstring>

namespace claimsd::loop {
namespace {

std::string words_of(int error) {
  return strerrordesc_np(error);
}

tl::unexpected<Error> failed(const char* what, const std::string& path, int error) {
  return failure(fmt::format("cannot {} the socket {}: {}", what, path, words_of(error)));
}

Result<sockaddr_un> address_of(const std::string& path) {
  if (path.empty() || path.size() > kMaxSocketPath || path.find('\0') != std::string::npos) {
    return failure(
        fmt::format("the socket path \"{}\" is {} bytes long: choose one of 1 to {} bytes", path,
                    path.size(), kMaxSocketPath));
  }
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, path.data(), path.size());
  return address;
}

const sockaddr* generic(const sockaddr_un& address) {
  return reinterpret_cast<const sockaddr*>(&address);
}

// Only ECONNREFUSED proves that no process listens on it. EAGAIN means a full backlog.
Status check_nobody_listens(const std::string& path, const sockaddr_un& address) {
  const Fd probe(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!probe) return failed("probe", path, errno);
  if (connect(probe.get(), generic(address), sizeof address) == 0 || errno == EAGAIN) {
    return failure(fmt::format(
        "another process already listens on {}: stop it, or choose another path", path));
  }
  if (errno != ECONNREFUSED) return failed("probe", path, errno);
  return {};
}

Status remove_stale(const std::string& path, const sockaddr_un& address) {
  struct stat found {};
  if (lstat(path.c_str(), &found) != 0) {
    if (errno == ENOENT) return {};
    return failed("examine", path, errno);
  }
  if (!S_ISSOCK(found.st_mode)) {
    return failure(
        fmt::format("{} exists and is not a socket: remove it, or choose another path", path));
  }
  if (found.st_uid != geteuid() && found.st_uid != 0) {
    return failure(
        fmt::format("the socket {} belongs to uid {}, which is neither this user nor root: remove "
                    "it, or choose another path",
                    path, found.st_uid));
  }
  TRY(check_nobody_listens(path, address));
  if (unlink(path.c_str()) != 0 && errno != ENOENT) return failed("remove the stale", path, errno);
  return {};
}

Result<FileIdentity> identity_of(const std::string& path) {
  struct stat found {};
  if (lstat(path.c_str(), &found) != 0) return failed("examine", path, errno);
  return FileIdentity{found.st_dev, found.st_ino};
}

// A descriptor of the socket file that was bound; null if another file has its place.
Fd open_bound(const std::string& path, const FileIdentity& file) {
  struct stat found {};
  Fd fd(open(path.c_str(), O_PATH | O_NOFOLLOW | O_CLOEXEC));
  if (!fd || fstat(fd.get(), &found) != 0) return {};
  if (FileIdentity{found.st_dev, found.st_ino} == file) return fd;
  errno = EEXIST;
  return {};
}

// fchmod(2) does not work on a descriptor opened with O_PATH: open(2).
bool set_mode(const Fd& fd, mode_t mode) {
  return chmod(fmt::format("/proc/self/fd/{}", fd.get()).c_str(), mode) == 0;
}

int option_of(int fd, int option) {
  int value = -1;
  socklen_t size = sizeof value;
  return getsockopt(fd, SOL_SOCKET, option, &value, &size) == 0 ? value : -1;
}

}  // namespace

Result<BoundSocket> listen_on_unix_path(const ListenOptions& options) {
  const std::string& path = options.path;
  const sockaddr_un address = TRY(address_of(path));
  TRY(remove_stale(path, address));

  Fd fd(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!fd) return failed("create", path, errno);
  // Linux gives the file the mode of the socket's inode. Setting it first creates the file closed,
  // without a process-wide umask that affects other threads. Before listen() every connection is
  // refused, whatever the mode.
  if (fchmod(fd.get(), 0600) != 0) return failed("prepare", path, errno);
  if (bind(fd.get(), generic(address), sizeof address) != 0) return failed("bind", path, errno);

  const FileIdentity file = TRY(identity_of(path));
  const auto abandon = [&](const char* what) {
    const int error = errno;
    remove_socket_file(path, file);
    return failed(what, path, error);
  };
  const Fd bound = open_bound(path, file);
  if (!bound) return abandon("examine");
  if (options.group &&
      fchownat(bound.get(), "", static_cast<uid_t>(-1), *options.group, AT_EMPTY_PATH) != 0) {
    return abandon("set the group of");
  }
  if (!set_mode(bound, options.mode)) return abandon("set the mode of");
  if (listen(fd.get(), options.backlog) != 0) return abandon("listen on");
  return BoundSocket{std::move(fd), file};
}

Result<Fd> adopt_listening_socket(Fd fd) {
  if (option_of(fd.get(), SO_DOMAIN) != AF_UNIX || option_of(fd.get(), SO_TYPE) != SOCK_STREAM ||
      option_of(fd.get(), SO_ACCEPTCONN) != 1) {
    return failure(
        fmt::format("descriptor {} is not a listening Unix stream socket: set ListenStream= in the "
                    "socket unit to a path",
                    fd.get()));
  }
  const int flags = fcntl(fd.get(), F_GETFL);
  if (flags < 0 || fcntl(fd.get(), F_SETFL, flags | O_NONBLOCK) != 0 ||
      fcntl(fd.get(), F_SETFD, FD_CLOEXEC) != 0) {
    return failure(
        fmt::format("cannot set up the listening descriptor {}: {}", fd.get(), words_of(errno)));
  }
  return fd;
}

void remove_socket_file(const std::string& path, const FileIdentity& file) {
  struct stat found {};
  if (lstat(path.c_str(), &found) != 0) return;
  if (FileIdentity{found.st_dev, found.st_ino} == file) unlink(path.c_str());
}

Result<PeerCredentials> peer_credentials(int fd) {
  ucred peer{};
  socklen_t size = sizeof peer;
  if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0) {
    return failure(fmt::format("cannot read the peer's credentials: {}", words_of(errno)));
  }
  // A socket without a recorded peer shows uid -1.
  if (size != sizeof peer || peer.uid == static_cast<uid_t>(-1)) {
    return failure("cannot read the peer's credentials: the kernel recorded none");
  }
  return PeerCredentials{peer.uid, peer.gid, peer.pid, {}};
}

void send_once(int fd, std::string_view bytes) {
  (void)::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
}

std::string command_of(pid_t pid) {
  const Fd file(open(fmt::format("/proc/{}/comm", pid).c_str(), O_RDONLY | O_CLOEXEC));
  std::array<char, 64> name{};
  if (file.get() < 0) return {};
  const ssize_t size = read(file.get(), name.data(), name.size());
  if (size <= 0) return {};
  std::string_view text(name.data(), static_cast<std::size_t>(size));
  if (text.back() == '\n') text.remove_suffix(1);
  return std::string(text);
}

}  // namespace claimsd::loop
