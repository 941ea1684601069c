// transfer.h: one GET at a time to one Auth API: a reusable easy handle with fixed options, the
// token header and the response. Owned by the Fetcher; fetch thread.
//
// The token is in our memory from begin() to end(), then wiped. curl's copies are wiped when curl
// frees them (curl_memory.h).
#pragma once

#include <curl/curl.h>

#include <array>
#include <memory>
#include <string>

#include "daemon/claims/ports.h"
#include "daemon/upstream/curl_multi.h"
#include "daemon/upstream/response.h"
#include "daemon/upstream/target.h"
#include "daemon/upstream/tls_credentials.h"
#include "proto/limits.h"

namespace claimsd::upstream {

// A request in flight. Its token is passed separately.
struct FetchRequest {
  claims::FlightId id = 0;
  std::size_t url_queue = 0;  // in the Fetcher: an Auth API at one of its URLs
  Duration started{};         // Loop::hrtime()
};

// The connections to one Auth API, all made with the same credentials. New credentials get new
// connections, because libcurl does not compare them when it reuses a connection or a TLS session.
struct Connections {
  std::shared_ptr<const TlsCredentials> credentials;  // null: no certificate files
  std::unique_ptr<CurlMulti> multi;
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

  // Takes the flight and a copy of its token. False if the token is not valid in a header: nothing
  // else may reach curl, which sends line breaks unchanged. The flight is taken even then, so that
  // end() works.
  bool begin(const FetchRequest& flight, std::string_view token);
  // The outcome. Wipes token and response.
  claims::FetchOutcome end(CURLcode code);

 private:
  static constexpr std::string_view kPrefix = "Authorization: Bearer ";
  struct Cleanup {
    void operator()(CURL* easy) const { curl_easy_cleanup(easy); }
    void operator()(CURLU* url) const { curl_url_cleanup(url); }
  };

  Transfer(const Target& target, std::shared_ptr<Connections> connections, CURL* easy);
  Status configure();
  void wipe();
  static CURLcode on_context(CURL* easy, void* context, void* credentials);
  static std::size_t on_header(char* data, std::size_t size, std::size_t count, void* self);
  static std::size_t on_body(char* data, std::size_t size, std::size_t count, void* self);

  const Target& target_;
  std::shared_ptr<Connections> connections_;
  FetchRequest flight_;
  Response response_;
  std::array<char, kPrefix.size() + proto::kMaxToken + 1> authorization_{};
  std::size_t token_size_ = 0;  // its length in authorization_
  std::string user_agent_;
  std::string accept_ = "Accept: application/json";
  // curl reads this list but does not own it. Built from our own memory, so no allocation per
  // request. It includes the user agent, because curl handles CURLOPT_USERAGENT less efficiently.
  std::array<curl_slist, 3> headers_{};
  std::array<char, CURL_ERROR_SIZE> words_{};
  std::unique_ptr<CURLU, Cleanup> url_;
  std::unique_ptr<CURL, Cleanup> easy_;  // last, so destroyed first
};

}  // namespace claimsd::upstream
