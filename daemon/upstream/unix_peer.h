// unix_peer.h: whether a trusted user listens on the Unix socket of an Auth API.
//
// The socket's file proves nothing: anyone who may write to its directory can replace it. SO_PEERCRED
// (unix(7)) names the process that listens, and it is checked before a token is sent. Trusted are
// root (systemd listens for an activated service), and the configured user or, without one, the
// owner of the socket's directory, which then must not be writable by others. Immutable; fetch
// thread.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>

#include "daemon/base/result.h"

namespace claimsd::upstream {

class UnixPeer {
 public:
  // `user`: a name or a uid; "": the owner of the directory. An error if the user does not exist.
  static Result<UnixPeer> create(const std::string& path, const std::string& user);

  // `fd`: connected to the socket. The error says why its peer is not trusted.
  Status check(int fd) const;

 private:
  UnixPeer(std::string path, std::optional<uid_t> user) : path_(std::move(path)), user_(user) {}
  Result<uid_t> trusted_user() const;

  std::string path_;
  std::optional<uid_t> user_;
};

}  // namespace claimsd::upstream
