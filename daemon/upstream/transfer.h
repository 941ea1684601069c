// transfer.h: one request at a time to one Auth API: a reusable easy handle with fixed options, the
// request and the response. Owned by the Fetcher; fetch thread.
//
// The token is in our memory from begin() to end(), then wiped. curl's copies are wiped when curl
// frees them (curl_memory.h).
#pragma once

#include <curl/curl.h>

#include <array>
#include <memory>

#include "daemon/claims/ports.h"
#include "daemon/upstream/connections.h"
#include "daemon/upstream/recovery.h"
#include "daemon/upstream/request.h"
#include "daemon/upstream/response.h"
#include "daemon/upstream/target.h"

namespace claimsd::upstream {

// A request in flight. Its token is passed separately.
struct FetchRequest {
  claims::FlightId id = 0;
  std::size_t url_queue = 0;  // in the Fetcher: an Auth API at one of its URLs
  Duration started{};         // Loop::hrtime()
  claims::Connect connect = claims::Connect::kReuse;
  unsigned attempt = 1;  // counts repetitions within this request (recovery.h)
};

class Transfer {
 public:
  // `target` must outlive it.
  static Result<std::unique_ptr<Transfer>> create(const Target& target,
                                                  std::shared_ptr<Connections> connections);
  ~Transfer();
  Transfer(const Transfer&) = delete;
  Transfer& operator=(const Transfer&) = delete;

  static Transfer& of(CURL* easy);
  CURL* easy() const { return easy_.get(); }
  const FetchRequest& flight() const { return flight_; }
  Connections& connections() const { return *connections_; }

  // Takes the flight and a copy of its token. False if the token is not valid in a header
  // (Request::set_token). The flight is taken even then, so that end() works.
  bool begin(const FetchRequest& flight, std::string_view token);
  // What happened, for recovery_of(). Valid from the completion until end().
  Attempt attempt(CURLcode code) const;
  // To repeat the request. Valid until end().
  std::string_view token() const { return request_.token(); }
  // The outcome. Wipes token and response. `age`: of the connection that was used (CurlMulti::Done).
  claims::FetchOutcome end(CURLcode code, Duration age);

 private:
  struct Cleanup {
    void operator()(CURL* easy) const { curl_easy_cleanup(easy); }
    void operator()(CURLU* url) const { curl_url_cleanup(url); }
  };

  Transfer(const Target& target, std::shared_ptr<Connections> connections, CURL* easy);
  Status configure();
  void wipe();
  bool is_sent() const;
  bool is_reused() const;
  bool lacks_certificate(const Attempt& attempt) const;
  static CURLcode on_context(CURL* easy, void* context, void* connections);
  static std::size_t on_header(char* data, std::size_t size, std::size_t count, void* self);
  static std::size_t on_body(char* data, std::size_t size, std::size_t count, void* self);

  const Target& target_;
  std::shared_ptr<Connections> connections_;
  FetchRequest flight_;
  Response response_;
  Request request_;
  std::array<char, CURL_ERROR_SIZE> words_{};
  std::unique_ptr<CURLU, Cleanup> url_;
  std::unique_ptr<CURL, Cleanup> easy_;  // last, so destroyed first
};

}  // namespace claimsd::upstream
