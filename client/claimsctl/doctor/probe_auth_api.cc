// Sends one request without a token to each URL of each Auth API. Configured like the daemon's own
// requests (daemon/upstream/transfer.cc): same authorities, client certificate, proxy and
// protocols.
#include <curl/curl.h>
#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <memory>
#include <string_view>

#include "client/claimsctl/doctor/gather.h"

namespace claimsd::claimsctl::doctor {
namespace {

constexpr std::size_t kMaxBody = 64 * 1024;

struct EasyCleanup {
  void operator()(CURL* easy) const { curl_easy_cleanup(easy); }
};

std::size_t count_body(char* /*data*/, std::size_t size, std::size_t count, void* user) {
  auto& seen = *static_cast<std::size_t*>(user);
  seen += size * count;
  return seen > kMaxBody ? 0 : size * count;
}

constexpr std::string_view kSocketScheme = "http+unix://";

void set_up(CURL* easy, const config::UpstreamConfig& upstream, const std::string& url) {
  const bool tls = url.starts_with("https:");
  curl_easy_setopt(easy, CURLOPT_URL, url.c_str());
  curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, tls ? "https" : "http");
  curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
  curl_easy_setopt(easy, CURLOPT_NETRC, static_cast<long>(CURL_NETRC_IGNORED));
  curl_easy_setopt(easy, CURLOPT_PROXY, upstream.proxy.c_str());
  curl_easy_setopt(easy, CURLOPT_NOPROXY, "");
  curl_easy_setopt(easy, CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
  curl_easy_setopt(easy, CURLOPT_CAPATH, static_cast<const char*>(nullptr));
  const auto set_unless_empty = [easy](CURLoption option, const std::string& value) {
    if (!value.empty()) curl_easy_setopt(easy, option, value.c_str());
  };
  set_unless_empty(CURLOPT_CAINFO, upstream.ca_file);
  set_unless_empty(CURLOPT_SSLCERT, upstream.client_certificate);
  set_unless_empty(CURLOPT_SSLKEY, upstream.client_key);
  curl_easy_setopt(easy, CURLOPT_KEYPASSWD, "");
  curl_easy_setopt(easy, CURLOPT_CERTINFO, 1L);
  curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS,
                   static_cast<long>(upstream.connect_timeout.count()));
  curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, static_cast<long>(upstream.timeout.count()));
  curl_easy_setopt(easy, CURLOPT_USERAGENT, "claimsctl-doctor");
}

// The first certificate of the chain is the server's own.
std::optional<WallTime> end_of_peer(CURL* easy) {
  curl_certinfo* chain = nullptr;
  if (curl_easy_getinfo(easy, CURLINFO_CERTINFO, &chain) != CURLE_OK || chain == nullptr ||
      chain->num_of_certs == 0)
    return std::nullopt;
  constexpr std::string_view kPem = "Cert:";
  for (const curl_slist* row = chain->certinfo[0]; row != nullptr; row = row->next) {
    const std::string_view text(row->data);
    if (!text.starts_with(kPem)) continue;
    const auto end = certificate_end(std::string(text.substr(kPem.size())));
    if (end) return *end;
  }
  return std::nullopt;
}

// The Date header: RFC 9110, section 6.6.1.
std::optional<seconds> ahead_of(CURL* easy, WallTime now) {
  curl_header* date = nullptr;
  if (curl_easy_header(easy, "Date", 0, CURLH_HEADER, -1, &date) != CURLHE_OK) return std::nullopt;
  const auto said = curl_getdate(date->value, nullptr);
  if (said < 0) return std::nullopt;
  return seconds(said) - std::chrono::duration_cast<seconds>(now.time_since_epoch());
}

AuthApiFacts ask(const config::UpstreamConfig& upstream, const std::string& base,
                 const Clock& clock) {
  const bool is_socket = base.starts_with(kSocketScheme);
  AuthApiFacts facts{.upstream = upstream.name, .url = base + upstream.path};
  facts.tls = base.starts_with("https:");
  facts.exposed = base.starts_with("http:");
  const std::unique_ptr<CURL, EasyCleanup> easy(curl_easy_init());
  if (!easy) {
    facts.failure = "cannot initialize libcurl";
    return facts;
  }
  std::array<char, CURL_ERROR_SIZE> why{};
  std::size_t body = 0;
  set_up(easy.get(), upstream, is_socket ? "http://localhost" + upstream.path : facts.url);
  if (is_socket)
    curl_easy_setopt(easy.get(), CURLOPT_UNIX_SOCKET_PATH,
                     base.substr(kSocketScheme.size()).c_str());
  curl_easy_setopt(easy.get(), CURLOPT_ERRORBUFFER, why.data());
  curl_easy_setopt(easy.get(), CURLOPT_WRITEFUNCTION, count_body);
  curl_easy_setopt(easy.get(), CURLOPT_WRITEDATA, &body);
  const CURLcode code = curl_easy_perform(easy.get());
  if (code != CURLE_OK) {
    facts.failure = why.front() != '\0' ? why.data() : curl_easy_strerror(code);
    return facts;
  }
  curl_easy_getinfo(easy.get(), CURLINFO_RESPONSE_CODE, &facts.status);
  curl_easy_getinfo(easy.get(), CURLINFO_TOTAL_TIME, &facts.took_seconds);
  const auto& refusals = upstream.rejection_statuses;
  facts.refuses = std::find(refusals.begin(), refusals.end(), facts.status) != refusals.end();
  // An introspection endpoint refuses a request without a form as it likes.
  if (upstream.kind == config::UpstreamKind::kIntrospection)
    facts.refuses = facts.status >= 400 && facts.status < 500;
  facts.certificate_end = end_of_peer(easy.get());
  facts.ahead = ahead_of(easy.get(), clock.now().wall);
  return facts;
}

}  // namespace

std::vector<AuthApiFacts> ask_auth_apis(const config::Config& config, const Clock& clock) {
  std::vector<AuthApiFacts> all;
  for (const auto& upstream : config.upstreams) {
    for (const auto& url : upstream.urls) all.push_back(ask(upstream, url, clock));
  }
  return all;
}

}  // namespace claimsd::claimsctl::doctor
