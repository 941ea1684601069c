// admin_client.h: one request to the daemon's admin API over its Unix socket. Blocking; owns
// nothing between calls.
//
// Nothing of the environment matters: no proxy, no .netrc, no redirect. libcurl:
// CURLOPT_UNIX_SOCKET_PATH(3).
#pragma once

#include <string>

#include "client/claimsctl/problem.h"
#include "daemon/base/secret.h"

namespace claimsd::ctl {

struct AdminReply {
  long status = 0;
  std::string body;
};

// GET `path` ("/v1/status"). A reply with any HTTP status is a reply; a Problem says why there is
// none and what to do: no socket, nobody listening, not permitted (and which group may), no answer
// in time.
Expected<AdminReply> admin_get(const std::string& socket, const std::string& path);

// POST of a JSON object, which may hold a token.
Expected<AdminReply> admin_post(const std::string& socket, const std::string& path,
                                const daemon::Secret& body);

}  // namespace claimsd::ctl
