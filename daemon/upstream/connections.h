// connections.h: the connections to one URL of an Auth API, all made with the same credentials and
// the same resolved addresses. Owned by the Fetcher and by running transfers; fetch thread.
//
// They are replaced as a whole: by new credentials, because libcurl does not compare them when it
// reuses a connection or a TLS session, and after failures that a kept connection or a cached
// address may have caused (recovery.h).
#pragma once

#include <memory>
#include <optional>

#include "daemon/upstream/credential_files.h"
#include "daemon/upstream/curl_multi.h"

namespace claimsd::upstream {

struct Connections {
  std::shared_ptr<const Credentials> credentials;  // null: no files
  std::unique_ptr<CurlMulti> multi;
  bool proven = false;                             // a response has arrived over one of them
  std::optional<WallTime> server_certificate_end;  // of the latest handshake
  bool certificate_wanted = false;  // the server asked for a client certificate; there is none
};

}  // namespace claimsd::upstream
