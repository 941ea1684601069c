// response.h: collects one HTTP response within its limits, whatever the server sends. Independent
// of curl. Owned by a Transfer; fetch thread.
//
// curl passes on the header lines of interim responses, of the final response and of trailers
// alike, and bodies already un-chunked. Its own limits are too wide (100 KiB per header line) or
// count the wrong bytes (CURLOPT_MAXFILESIZE ignores chunked bodies). An ambiguous header gets the
// reading with the shorter TTL. RFC 9110, RFC 9112.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/claims/ports.h"
#include "daemon/upstream/settings.h"

namespace claimsd::upstream {

class Response {
 public:
  explicit Response(std::size_t max_body);
  ~Response();
  Response(const Response&) = delete;
  Response& operator=(const Response&) = delete;

  // `line` includes its line end. False: stop the transfer; failure() has the reason.
  bool add_header(std::string_view line);
  bool add_body(std::string_view bytes);

  // kOk while everything received so far is acceptable.
  proto::Reason failure() const { return failure_; }
  // From the latest status line; 0 before.
  int status() const { return status_; }

  // Moves the response into `outcome`, after curl reported success. A response that ended within
  // its headers is a failure, although curl accepts it.
  void take(claims::FetchOutcome& outcome);
  // Wipes everything for the next transfer.
  void clear();

 private:
  bool fail(proto::Reason reason, const char* detail);
  bool begin_message(std::string_view status_line);
  bool end_headers();
  bool add_field(std::string_view name, std::string_view value);
  void clear_message();

  const std::size_t max_body_;
  std::vector<char> body_;  // reserved in full: growing would leave copies of claims behind
  std::size_t header_bytes_ = 0;
  int status_ = 0;
  bool headers_done_ = false;  // of the final response: trailers follow
  bool encoded_ = false;
  bool unknown_life_ = false;  // Cache-Control, Age or Vary was too long to pass on
  std::string cache_control_;
  std::string age_;
  std::string vary_;
  std::string content_type_;
  proto::Reason failure_ = proto::Reason::kOk;
  const char* detail_ = "";
};

}  // namespace claimsd::upstream
