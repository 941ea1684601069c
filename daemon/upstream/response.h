// response.h: collects one HTTP response within its limits, whatever arrives. Knows nothing of
// curl. Fetch thread.
//
// curl hands over header lines of interim responses, of the final one and of trailers alike, and
// bodies that it has un-chunked; its own limits are too wide (100 KiB a header line) or count the
// wrong bytes (CURLOPT_MAXFILESIZE ignores chunked bodies). What a careless reading would make live
// longer counts as the stricter one.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/claims/ports.h"
#include "daemon/upstream/settings.h"

namespace claimsd::daemon {

class Response {
 public:
  explicit Response(std::size_t max_body);
  ~Response();
  Response(const Response&) = delete;
  Response& operator=(const Response&) = delete;

  // A line with its line end. False: stop the transfer, failure() says why.
  bool add_header(std::string_view line);
  bool add_body(std::string_view bytes);

  // kOk while nothing is wrong with what has come so far.
  proto::Reason failure() const { return failure_; }
  // Of the last status line; 0 before.
  int status() const { return status_; }

  // Moves what was collected into `outcome`, once curl is content. A response that ended within its
  // headers is none, although curl takes it for one.
  void take(FetchOutcome& outcome);
  // Wipes everything, for the next transfer.
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
  bool headers_done_ = false;  // of the final response: what follows are trailers
  bool encoded_ = false;
  bool unknown_life_ = false;  // Cache-Control, Age or Vary was too long to be passed on
  std::string cache_control_;
  std::string age_;
  std::string vary_;
  proto::Reason failure_ = proto::Reason::kOk;
  const char* detail_ = "";
};

}  // namespace claimsd::daemon
