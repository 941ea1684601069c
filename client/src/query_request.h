// query_request.h: validates a caller's query and converts it to the wire message. Views into the
// caller's memory. Pure; any thread.
#pragma once

#include <optional>

#include "client/include/claimsd.h"
#include "client/src/deadline.h"
#include "proto/messages.h"

namespace claimsd::client {

struct QueryRequest {
  proto::Query query;  // its timeout_ms is set when it is sent, to the remaining time
  std::uint32_t timeout_ms = 0;
  const Cancellation* cancellation = nullptr;

  // The deadline, counted from now. Local hits do not need it: a clock read costs a fifth of one.
  Deadline begin_waiting() const {
    Deadline deadline = Deadline::after_ms(timeout_ms);
    deadline.cancellation = cancellation;
    return deadline;
  }
};

// nullopt for a NULL, a wrong size, or the size of a token without a token. Hints over the limits of
// the wire are truncated between characters, so a long route does not prevent a lookup.
std::optional<QueryRequest> read_query_request(const claimsd_query_request* given,
                                               std::uint32_t default_timeout_ms);

// A text of the C ABI: `size` bytes, or up to its NUL (CLAIMSD_NUL_TERMINATED); NULL is "".
// Truncated between characters to at most `limit` bytes.
std::string_view limited(const char* text, std::size_t size, std::size_t limit);

// Whether it can travel at all. One that cannot holds a token which is far too long, and is
// answered so without the daemon.
bool fits_a_frame(const proto::Query& query);

// A size that the query's frame does not exceed.
std::size_t frame_bound(const proto::Query& query);

// The timeout sent to the daemon: a little less than ours, so that its "deadline" answer (the Auth
// API is slow) arrives before our own timeout.
std::uint32_t daemon_share_ms(std::uint32_t remaining_ms);

}  // namespace claimsd::client
