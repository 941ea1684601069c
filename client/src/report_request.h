// report_request.h: validates a caller's report and converts it to the wire message. Views into the
// caller's memory. Pure; any thread.
#pragma once

#include "client/include/claimsd.h"
#include "client/src/deadline.h"
#include "proto/messages.h"

namespace claimsd::client {

struct ReportRequest {
  proto::Report report;  // its timeout_ms and unacknowledged are set when it is sent
  std::uint32_t timeout_ms = 0;
  bool awaits_record = false;

  Deadline begin_waiting() const { return Deadline::after_ms(timeout_ms); }
};

// False for a NULL, a wrong size, unknown flags, or a status that refuses nothing. Texts longer
// than the wire takes are cut between characters; a token longer than one may be is left out: the
// record that it would name is of a refusal for its length, and is worth having without.
bool read_report_request(const claimsd_report_request* given, std::uint32_t default_timeout_ms,
                         ReportRequest& out);

// A size that the report's frame does not exceed; always one that may travel.
std::size_t frame_bound(const proto::Report& report);

}  // namespace claimsd::client
