// transfer.h: one GET at a time for one Auth API, used again and again: an easy handle whose
// options never change, the header with the token, and the response. Fetch thread; owned by the
// Fetcher.
//
// The token is in memory of ours from begin() to end() and wiped then. What curl copies of it is
// wiped when curl frees it (curl_memory.h).
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

namespace claimsd::daemon {

// A question for the Auth API, on its way; the token goes beside it.
struct FetchOrder {
  FlightId id = 0;
  std::size_t lane = 0;  // of the Fetcher: an Auth API at one of its URLs
  Duration started{};    // Loop::hrtime()
};

// The connections to one Auth API, all made under the same credentials. Other credentials get other
// connections: libcurl looks at nothing else when it reuses one, or resumes its TLS session.
struct Connections {
  std::shared_ptr<const TlsCredentials> credentials;  // null: no files of ours
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
  const FetchOrder& flight() const { return flight_; }
  Connections& connections() const { return *connections_; }

  // Takes the flight on, and a copy of its token. False where that cannot stand in a header
  // (nothing else may reach curl, which sends line breaks as they are); the flight is taken all the
  // same, for end().
  bool begin(const FetchOrder& flight, std::string_view token);
  // What became of it; wipes token and response.
  FetchOutcome end(CURLcode code);

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
  FetchOrder flight_;
  Response response_;
  std::array<char, kPrefix.size() + proto::kMaxToken + 1> authorization_{};
  std::size_t token_size_ = 0;  // of it in authorization_
  std::string user_agent_;
  std::string accept_ = "Accept: application/json";
  // curl reads the list and does not own it; built of our own memory, it need not be allocated and
  // freed for each request. The user agent is among them since curl writes those once and
  // CURLOPT_USERAGENT twice, a character at a time.
  std::array<curl_slist, 3> headers_{};
  std::array<char, CURL_ERROR_SIZE> words_{};
  std::unique_ptr<CURLU, Cleanup> url_;
  std::unique_ptr<CURL, Cleanup> easy_;  // last: goes first
};

}  // namespace claimsd::daemon
