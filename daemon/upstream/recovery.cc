#include "daemon/upstream/recovery.h"

namespace claimsd::upstream {
namespace {

bool is_closed(CURLcode code) {
  return code == CURLE_GOT_NOTHING || code == CURLE_SEND_ERROR || code == CURLE_RECV_ERROR;
}

// Codes with which libcurl reports a stream that the server did not process: GOAWAY (RFC 9113
// section 6.8), REFUSED_STREAM (section 8.7), or a connection that ends below its streams.
bool is_http2_failure(CURLcode code) {
  return code == CURLE_HTTP2 || code == CURLE_HTTP2_STREAM || code == CURLE_PARTIAL_FILE ||
         is_closed(code);
}

// Nothing was sent. With earlier responses over these connections the address was good, so the name
// may have moved: resolve it again.
Recovery after_connect_failure(const Attempt& attempt) {
  switch (attempt.code) {
    case CURLE_COULDNT_CONNECT:
    case CURLE_OPERATION_TIMEDOUT: return {.repeat = attempt.proven, .drop = attempt.proven};
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_PEER_FAILED_VERIFICATION: return {.repeat = false, .drop = attempt.proven};
    default: return {};
  }
}

Recovery after_request(const Attempt& attempt) {
  // A silent HTTP/2 connection would carry every later request, too.
  if (attempt.code == CURLE_OPERATION_TIMEDOUT) return {.drop = attempt.reused || attempt.http2};
  if (attempt.code == CURLE_OK) return {.drop = attempt.reused && attempt.status >= 500};
  if (attempt.reused && attempt.status == 0 && is_closed(attempt.code)) return {.repeat = true};
  if (attempt.http2 && is_http2_failure(attempt.code))
    return {.repeat = attempt.reused || attempt.number == 1};
  return {};
}

}  // namespace

Recovery recovery_of(const Attempt& attempt) {
  Recovery recovery = attempt.sent ? after_request(attempt) : after_connect_failure(attempt);
  if (attempt.number >= kMaxAttempts) recovery.repeat = false;
  return recovery;
}

}  // namespace claimsd::upstream
