#include "daemon/upstream/transfer.h"

#include <fmt/core.h>
#include <string.h>

#include <algorithm>

#include "daemon/claims/parse/token.h"
#include "daemon/upstream/curl_reason.h"

namespace claimsd::daemon {
namespace {

constexpr const char* kUserAgent = "User-Agent: claimsd/" CLAIMSD_VERSION;

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
  options.set(CURLOPT_HEADEROPT, static_cast<long>(CURLHEADER_SEPARATE));
  options.set(CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
}

void require_tls(Options& options, const TlsCredentials* credentials) {
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

}  // namespace

Transfer::Transfer(const Target& target, std::shared_ptr<Connections> connections, CURL* easy)
    : target_(target),
      connections_(std::move(connections)),
      response_(target.settings.max_body),
      user_agent_(kUserAgent),
      url_(curl_url()),
      easy_(easy) {
  std::copy(kPrefix.begin(), kPrefix.end(), authorization_.begin());
  headers_[0] = {user_agent_.data(), &headers_[1]};
  headers_[1] = {authorization_.data(), &headers_[2]};
  headers_[2] = {accept_.data(), nullptr};
}

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
  const TlsCredentials* const credentials = connections_->credentials.get();
  restrict_route(options, target_, url_.get());
  require_tls(options, credentials);
  if (credentials != nullptr) {
    options.set(CURLOPT_SSL_CTX_FUNCTION, on_context);
    options.set(CURLOPT_SSL_CTX_DATA, const_cast<TlsCredentials*>(credentials));
  }
  limit(options, target_.settings);
  options.set(CURLOPT_HTTPHEADER, headers_.data());
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

bool Transfer::begin(const FetchOrder& flight, std::string_view token) {
  flight_ = flight;
  words_[0] = '\0';
  if (check_token(token) != proto::Reason::kOk) return false;
  char* end = std::copy(token.begin(), token.end(), authorization_.begin() + kPrefix.size());
  *end = '\0';
  token_size_ = token.size();
  return true;
}

FetchOutcome Transfer::end(CURLcode code) {
  FetchOutcome outcome;
  // If Response stopped the transfer, it has the reason; curl only knows that a callback failed.
  if (code != CURLE_OK && response_.failure() == proto::Reason::kOk) {
    CurlFailure failure = explain(code, words_.data());
    outcome.failure = failure.reason;
    outcome.detail = std::move(failure.detail);
  } else {
    response_.take(outcome);
    outcome.retry_after = retry_after(easy());
  }
  outcome.took = Loop::hrtime() - flight_.started;
  wipe();
  return outcome;
}

void Transfer::wipe() {
  response_.clear();
  explicit_bzero(authorization_.data() + kPrefix.size(), token_size_);
  token_size_ = 0;
  flight_ = FetchOrder{};
}

CURLcode Transfer::on_context(CURL* /*easy*/, void* context, void* credentials) {
  const bool done =
      static_cast<const TlsCredentials*>(credentials)->install(static_cast<SSL_CTX*>(context));
  return done ? CURLE_OK : CURLE_SSL_CERTPROBLEM;
}

std::size_t Transfer::on_header(char* data, std::size_t size, std::size_t count, void* self) {
  const bool goes_on = static_cast<Transfer*>(self)->response_.add_header({data, size * count});
  return goes_on ? size * count : 0;
}

std::size_t Transfer::on_body(char* data, std::size_t size, std::size_t count, void* self) {
  const bool goes_on = static_cast<Transfer*>(self)->response_.add_body({data, size * count});
  return goes_on ? size * count : 0;
}

}  // namespace claimsd::daemon
