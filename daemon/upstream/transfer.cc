#include "daemon/upstream/transfer.h"

#include <fmt/core.h>
#include <openssl/ssl.h>

#include <algorithm>
#include <string>

#include "daemon/upstream/curl_reason.h"

namespace claimsd::upstream {
namespace {

// Bytes that curl reads at once; its minimum. curl allocates a buffer of this size per request,
// which is wiped when freed. Responses are a few hundred bytes, and malloc(3) does not cache larger
// blocks.
constexpr long kReadBuffer = 1024;

// The system's CA bundle is parsed once per this period, not at each handshake. A changed file
// takes effect after it.
constexpr long kCaCacheSeconds = 60;

// Sets options until one fails.
class Options {
 public:
  explicit Options(CURL* easy) : easy_(easy) {}
  template <class T>
  void set(CURLoption option, T value) {
    if (code_ != CURLE_OK) return;
    code_ = curl_easy_setopt(easy_, option, value);
    if (code_ != CURLE_OK) failed_ = option;
  }
  Status result() const {
    if (code_ == CURLE_OK) return {};
    return failure(fmt::format("libcurl rejected option {}: {}; install libcurl 7.87 or newer",
                               static_cast<int>(failed_), curl_easy_strerror(code_)));
  }

 private:
  CURL* easy_;
  CURLcode code_ = CURLE_OK;
  CURLoption failed_{};
};

// A request may go to one URL only, whatever the environment, a file or the server says.
void restrict_route(Options& options, const Target& target, CURLU* url) {
  options.set(CURLOPT_URL, target.url.c_str());
  // Already parsed, so that curl need not parse the URL for each request.
  options.set(CURLOPT_CURLU, url);
  options.set(CURLOPT_PROTOCOLS_STR, target.clear ? "http" : "https");
  options.set(CURLOPT_REDIR_PROTOCOLS_STR, "https");
  options.set(CURLOPT_FOLLOWLOCATION, 0L);
  options.set(CURLOPT_DISALLOW_USERNAME_IN_URL, 1L);
  options.set(CURLOPT_NETRC, static_cast<long>(CURL_NETRC_IGNORED));
  // An empty string, unlike NULL, also disables http_proxy and similar variables, and no_proxy when
  // a proxy is configured.
  options.set(CURLOPT_PROXY, target.settings.proxy.c_str());
  options.set(CURLOPT_NOPROXY, "");
  if (!target.socket.empty()) options.set(CURLOPT_UNIX_SOCKET_PATH, target.socket.c_str());
  if (target.ipv4) options.set(CURLOPT_IPRESOLVE, static_cast<long>(CURL_IPRESOLVE_V4));
  options.set(CURLOPT_HEADEROPT, static_cast<long>(CURLHEADER_SEPARATE));
  options.set(CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
}

void require_tls(Options& options, const crypto::TlsCredentials* credentials) {
  options.set(CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
  options.set(CURLOPT_SSL_VERIFYPEER, 1L);
  options.set(CURLOPT_SSL_VERIFYHOST, 2L);
  options.set(CURLOPT_PROXY_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
  // The directory would add the system's CA certificates to ours, and keep curl from caching them.
  options.set(CURLOPT_CAPATH, static_cast<const char*>(nullptr));
  options.set(CURLOPT_CA_CACHE_TIMEOUT, kCaCacheSeconds);
  // Do not read the system's bundle when ours replaces it.
  if (credentials != nullptr && credentials->has_authorities())
    options.set(CURLOPT_CAINFO, static_cast<const char*>(nullptr));
}

void set_proxy_credentials(Options& options, const Credentials& credentials) {
  if (!credentials.proxy.empty())
    options.set(CURLOPT_PROXYUSERPWD, credentials.proxy.view().data());
}

void limit(Options& options, const UpstreamSettings& settings) {
  options.set(CURLOPT_NOSIGNAL, 1L);
  // The Fetcher enforces the total timeout, because it also covers flights that wait.
  options.set(CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(settings.connect_timeout.count()));
  // Do not wait for a hung getaddrinfo(3) after a timeout: its thread ends by itself.
  options.set(CURLOPT_QUICK_EXIT, 1L);
  // Checks the announced size. Response counts what arrives.
  options.set(CURLOPT_MAXFILESIZE, static_cast<long>(settings.max_body));
  options.set(CURLOPT_HTTP09_ALLOWED, 0L);
  options.set(CURLOPT_HTTP_VERSION,
              static_cast<long>(settings.http2 ? CURL_HTTP_VERSION_2TLS : CURL_HTTP_VERSION_1_1));
  options.set(CURLOPT_TCP_KEEPALIVE, 1L);
  const auto max_age = static_cast<long>(settings.connection_max_age.count());
  options.set(CURLOPT_MAXLIFETIME_CONN, max_age);
  options.set(CURLOPT_MAXAGE_CONN, max_age);
  options.set(CURLOPT_DNS_CACHE_TIMEOUT, static_cast<long>(settings.dns_cache.count()));
  options.set(CURLOPT_BUFFERSIZE, kReadBuffer);
  // CURLOPT_ACCEPT_ENCODING, cookies, HSTS, Alt-Svc and CURLOPT_VERBOSE are off unless set.
}

// CURLINFO_RETRY_AFTER(3): seconds, or a date that libcurl has compared with the clock. A date in
// the past is negative.
seconds retry_after(CURL* easy) {
  constexpr curl_off_t kLongest = 3600;
  curl_off_t wait = 0;
  curl_easy_getinfo(easy, CURLINFO_RETRY_AFTER, &wait);
  return seconds(std::clamp<curl_off_t>(wait, 0, kLongest));
}

// Called when the server asks for a client certificate and none is configured
// (SSL_CTX_set_client_cert_cb(3)). 0: continue without one.
int on_certificate_wanted(SSL* tls, X509** /*certificate*/, EVP_PKEY** /*key*/) {
  auto* connections = static_cast<Connections*>(SSL_CTX_get_app_data(SSL_get_SSL_CTX(tls)));
  if (connections != nullptr) connections->certificate_wanted = true;
  return 0;
}

// Called at each step of a handshake (SSL_CTX_set_info_callback(3)).
void on_handshake(const SSL* tls, int where, int /*value*/) {
  auto* connections = static_cast<Connections*>(SSL_CTX_get_app_data(SSL_get_SSL_CTX(tls)));
  if ((where & SSL_CB_HANDSHAKE_DONE) == 0 || connections == nullptr) return;
  const X509* const certificate = SSL_get0_peer_certificate(tls);
  if (certificate != nullptr) connections->server_certificate_end = crypto::expiry_of(certificate);
}

}  // namespace

Transfer::Transfer(const Target& target, std::shared_ptr<Connections> connections, CURL* easy)
    : target_(target),
      connections_(std::move(connections)),
      response_(target.settings.max_body),
      request_(target.settings, connections_->credentials.get()),
      url_(curl_url()),
      easy_(easy) {}

Transfer::~Transfer() {
  wipe();
}

Result<std::unique_ptr<Transfer>> Transfer::create(const Target& target,
                                                   std::shared_ptr<Connections> connections) {
  std::unique_ptr<Transfer> self(new Transfer(target, std::move(connections), curl_easy_init()));
  if (!self->easy_ || !self->url_ ||
      curl_url_set(self->url_.get(), CURLUPART_URL, target.url.c_str(), CURLU_DISALLOW_USER) !=
          CURLUE_OK) {
    return failure("cannot create a libcurl handle: out of memory?");
  }
  TRY(self->configure());
  return self;
}

Status Transfer::configure() {
  Options options(easy());
  const Credentials* const credentials = connections_->credentials.get();
  restrict_route(options, target_, url_.get());
  require_tls(options, credentials == nullptr ? nullptr : credentials->tls.get());
  if (credentials != nullptr) set_proxy_credentials(options, *credentials);
  if (request_.has_form()) options.set(CURLOPT_POST, 1L);
  options.set(CURLOPT_SSL_CTX_FUNCTION, on_context);
  options.set(CURLOPT_SSL_CTX_DATA, connections_.get());
  limit(options, target_.settings);
  options.set(CURLOPT_HTTPHEADER, request_.headers());
  options.set(CURLOPT_HEADERFUNCTION, on_header);
  options.set(CURLOPT_HEADERDATA, this);
  options.set(CURLOPT_WRITEFUNCTION, on_body);
  options.set(CURLOPT_WRITEDATA, this);
  options.set(CURLOPT_PRIVATE, this);
  options.set(CURLOPT_ERRORBUFFER, words_.data());
  TRY(options.result());
  if (connections_->multi->attach(easy()) != CURLE_OK)
    return failure("cannot attach a libcurl handle");
  return {};
}

Transfer& Transfer::of(CURL* easy) {
  char* self = nullptr;
  curl_easy_getinfo(easy, CURLINFO_PRIVATE, &self);
  return *reinterpret_cast<Transfer*>(self);
}

bool Transfer::begin(const FetchRequest& flight, std::string_view token) {
  flight_ = flight;
  words_[0] = '\0';
  const bool is_fresh = flight.connect == claims::Connect::kFresh;
  curl_easy_setopt(easy(), CURLOPT_FRESH_CONNECT, is_fresh ? 1L : 0L);
  const bool is_single = target_.settings.connection_max_age == seconds(0);
  curl_easy_setopt(easy(), CURLOPT_FORBID_REUSE, is_single ? 1L : 0L);
  if (!request_.set_token(token)) return false;
  if (request_.has_form()) {
    curl_easy_setopt(easy(), CURLOPT_POSTFIELDS, request_.form().data());
    const auto size = static_cast<curl_off_t>(request_.form().size());
    curl_easy_setopt(easy(), CURLOPT_POSTFIELDSIZE_LARGE, size);
  }
  return true;
}

bool Transfer::is_sent() const {
  curl_off_t until_sent = 0;
  curl_easy_getinfo(easy(), CURLINFO_PRETRANSFER_TIME_T, &until_sent);
  return until_sent > 0;
}

bool Transfer::is_reused() const {
  long connects = 0;
  curl_easy_getinfo(easy(), CURLINFO_NUM_CONNECTS, &connects);
  return connects == 0 && is_sent();
}

Attempt Transfer::attempt(CURLcode code) const {
  return {.code = code,
          .status = response_.status(),
          .reused = is_reused(),
          .sent = is_sent(),
          .http2 = target_.settings.http2 && !target_.clear,
          .proven = connections_->proven,
          .number = flight_.attempt};
}

// The server asked for a certificate, did not get one, and then sent no usable response: an alert, a
// closed connection, or nginx's 400.
bool Transfer::lacks_certificate(const Attempt& attempt) const {
  constexpr int kBadRequest = 400;
  if (!connections_->certificate_wanted) return false;
  return attempt.code == CURLE_OK ? attempt.status == kBadRequest : attempt.status == 0;
}

claims::FetchOutcome Transfer::end(CURLcode code, Duration age) {
  claims::FetchOutcome outcome;
  const Attempt made = attempt(code);
  // If Response stopped the transfer, it has the reason; curl only knows that a callback failed.
  if (code != CURLE_OK && response_.failure() == proto::Reason::kOk) {
    CurlFailure failure = explain(code, words_.data());
    outcome.failure = failure.reason;
    outcome.detail = std::move(failure.detail);
  } else {
    response_.take(outcome);
    outcome.retry_after = retry_after(easy());
  }
  if (lacks_certificate(made)) {
    outcome = {};
    outcome.failure = proto::Reason::kUpstreamCertificate;
    outcome.detail = "it asked for a client certificate";
  }
  outcome.took = loop::Loop::hrtime() - flight_.started;
  outcome.reused = made.reused;
  outcome.server_certificate_end = connections_->server_certificate_end;
  outcome.connection_age = made.reused ? age : Duration{};
  wipe();
  return outcome;
}

void Transfer::wipe() {
  response_.clear();
  request_.clear();
  flight_ = FetchRequest{};
}

CURLcode Transfer::on_context(CURL* /*easy*/, void* context, void* raw) {
  auto* connections = static_cast<Connections*>(raw);
  auto* tls = static_cast<SSL_CTX*>(context);
  SSL_CTX_set_app_data(tls, connections);
  SSL_CTX_set_client_cert_cb(tls, on_certificate_wanted);
  SSL_CTX_set_info_callback(tls, on_handshake);
  const Credentials* const credentials = connections->credentials.get();
  return credentials == nullptr || credentials->tls->install(tls) ? CURLE_OK
                                                                  : CURLE_SSL_CERTPROBLEM;
}

std::size_t Transfer::on_header(char* data, std::size_t size, std::size_t count, void* raw) {
  auto* self = static_cast<Transfer*>(raw);
  const bool goes_on = self->response_.add_header({data, size * count});
  // A failing server gets no second request over this connection. libcurl reads the option when the
  // response ends.
  if (self->response_.status() >= 500) curl_easy_setopt(self->easy(), CURLOPT_FORBID_REUSE, 1L);
  return goes_on ? size * count : 0;
}

std::size_t Transfer::on_body(char* data, std::size_t size, std::size_t count, void* self) {
  const bool goes_on = static_cast<Transfer*>(self)->response_.add_body({data, size * count});
  return goes_on ? size * count : 0;
}

}  // namespace claimsd::upstream
