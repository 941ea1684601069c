// sockets.h: obtains the daemon's sockets: inherited from the service manager, or bound to the
// configured paths. Main thread, at start; looks up groups in the system's databases.
#pragma once

#include <filesystem>
#include <optional>
#include <string_view>

#include "daemon/base/result.h"
#include "daemon/host/service_manager.h"
#include "daemon/loop/unix_socket.h"

namespace claimsd::host {

// Creates the directory of the socket `path` (mode 0755, last component only) if it is missing, and
// checks it (store::judge_socket_directory).
Status ensure_socket_directory(const std::filesystem::path& path);

// How to bind `path`, after ensure_socket_directory(). `group`: a name, a gid, or "".
Result<loop::ListenOptions> socket_options(const std::filesystem::path& path, std::uint32_t mode,
                                           const std::string& group);

// Takes the inherited socket with this name out of `sockets`.
std::optional<Fd> take_socket(std::vector<InheritedSocket>& sockets, std::string_view name);

// Removes a socket file that we bound when it goes out of scope.
class SocketFile {
 public:
  SocketFile() = default;
  SocketFile(std::string path, loop::FileIdentity file) : path_(std::move(path)), file_(file) {}
  ~SocketFile() {
    if (!path_.empty()) loop::remove_socket_file(path_, file_);
  }
  SocketFile(const SocketFile&) = delete;
  SocketFile& operator=(const SocketFile&) = delete;
  SocketFile(SocketFile&& other) noexcept
      : path_(std::exchange(other.path_, {})), file_(other.file_) {}
  SocketFile& operator=(SocketFile&& other) noexcept {
    std::swap(path_, other.path_);
    std::swap(file_, other.file_);
    return *this;
  }

 private:
  std::string path_;
  loop::FileIdentity file_;
};

}  // namespace claimsd::host
