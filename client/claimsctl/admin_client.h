// admin_client.h: one request to the daemon's admin API over its Unix socket. Blocking; keeps no
// state between calls.
//
// The environment is ignored: no proxy, no .netrc, no redirects. libcurl:
// CURLOPT_UNIX_SOCKET_PATH(3).
#pragma once

#include <cstdint>
#include <string>

#include "client/claimsctl/problem.h"
#include "daemon/base/secret.h"

namespace claimsd::claimsctl {

// Creates both sockets again and starts the daemon. It stops first, because systemd may still hold a
// socket whose file is gone.
inline constexpr char kRestart[] =
    "systemctl stop claimsd.socket claimsd-admin.socket claimsd && systemctl start claimsd.socket "
    "claimsd-admin.socket claimsd";

struct AdminReply {
  long status = 0;
  std::string body;
};

// GET `path` ("/v1/status"). Any HTTP status counts as a reply. A Problem says why there was no
// reply and what to do: no socket, no listener, permission denied (and which group has it), or a
// timeout.
Expected<AdminReply> admin_get(const std::string& socket, const std::string& path);

// How long to wait for the reply.
enum class Patience : std::uint8_t {
  kUsual,         // 5 s
  kUntilDurable,  // 60 s: the reply waits for a disk. A timeout then says nothing about the daemon.
};

// POST a JSON object, which may contain a token.
Expected<AdminReply> admin_post(const std::string& socket, const std::string& path,
                                const Secret& body, Patience patience = Patience::kUsual);

}  // namespace claimsd::claimsctl
