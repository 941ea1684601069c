// recovery.h: what follows a failed attempt: whether the same request is repeated at once over a new
// connection, and whether the kept connections are dropped. Pure; any thread.
//
// A kept connection can be dead, closed at the moment of its reuse, or lead to an instance that was
// replaced; a cached address can have moved. Each of these lasts as long as the connection or the
// address is used, so neither is used again. A request is safe to repeat: it changes nothing (RFC
// 9110 section 9.2.2).
#pragma once

#include <curl/curl.h>

namespace claimsd::upstream {

// A finished attempt at a request.
struct Attempt {
  CURLcode code = CURLE_OK;
  int status = 0;       // 0: no status line arrived
  bool reused = false;  // over a connection that had carried an earlier request
  bool sent = false;    // the connection was ready
  bool http2 = false;   // HTTP/2 was offered
  bool proven = false;  // an earlier response had come over these connections
  unsigned number = 1;  // of the attempts at this request
};

struct Recovery {
  bool repeat = false;  // over a new connection, within the deadline of the request
  bool drop = false;    // the kept connections and resolved addresses
};

inline constexpr unsigned kMaxAttempts = 3;  // one kept connection, one old address, one new

Recovery recovery_of(const Attempt& attempt);

}  // namespace claimsd::upstream
