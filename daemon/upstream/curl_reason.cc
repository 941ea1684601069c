#include "daemon/upstream/curl_reason.h"

#include "daemon/base/printable.h"

namespace claimsd::upstream {
namespace {

constexpr std::size_t kMaxDetail = 256;

struct Row {
  CURLcode code;
  proto::Reason reason;
};

// A code not listed is kUpstreamProtocol: the Auth API answered incorrectly.
constexpr Row kRows[] = {
    {CURLE_OPERATION_TIMEDOUT, proto::Reason::kUpstreamTimeout},
    {CURLE_COULDNT_RESOLVE_HOST, proto::Reason::kUpstreamConnect},
    {CURLE_COULDNT_RESOLVE_PROXY, proto::Reason::kUpstreamConnect},
    {CURLE_COULDNT_CONNECT, proto::Reason::kUpstreamConnect},
    {CURLE_PROXY, proto::Reason::kUpstreamConnect},
    {CURLE_ABORTED_BY_CALLBACK, proto::Reason::kUpstreamConnect},  // CurlMulti::check_peers()
    {CURLE_SSL_CONNECT_ERROR, proto::Reason::kUpstreamTls},
    {CURLE_PEER_FAILED_VERIFICATION, proto::Reason::kUpstreamTls},
    {CURLE_SSL_CERTPROBLEM, proto::Reason::kUpstreamTls},
    {CURLE_SSL_CIPHER, proto::Reason::kUpstreamTls},
    {CURLE_SSL_CACERT_BADFILE, proto::Reason::kUpstreamTls},
    {CURLE_SSL_CRL_BADFILE, proto::Reason::kUpstreamTls},
    {CURLE_SSL_ISSUER_ERROR, proto::Reason::kUpstreamTls},
    {CURLE_SSL_ENGINE_NOTFOUND, proto::Reason::kUpstreamTls},
    {CURLE_SSL_ENGINE_SETFAILED, proto::Reason::kUpstreamTls},
    {CURLE_SSL_ENGINE_INITFAILED, proto::Reason::kUpstreamTls},
    {CURLE_SSL_SHUTDOWN_FAILED, proto::Reason::kUpstreamTls},
    {CURLE_SSL_PINNEDPUBKEYNOTMATCH, proto::Reason::kUpstreamTls},
    {CURLE_SSL_INVALIDCERTSTATUS, proto::Reason::kUpstreamTls},
    {CURLE_SSL_CLIENTCERT, proto::Reason::kUpstreamTls},
    {CURLE_USE_SSL_FAILED, proto::Reason::kUpstreamTls},
    {CURLE_FILESIZE_EXCEEDED, proto::Reason::kUpstreamTooLarge},
    {CURLE_FAILED_INIT, proto::Reason::kInternal},
    {CURLE_BAD_FUNCTION_ARGUMENT, proto::Reason::kInternal},
    // CURLE_OUT_OF_MEMORY is omitted: curl also returns it for a header line over 100 KiB.
};

proto::Reason reason_of(CURLcode code) {
  for (const Row& row : kRows) {
    if (row.code == code) return row.reason;
  }
  return proto::Reason::kUpstreamProtocol;
}

// In TLS 1.3 the server rejects our certificate, or its absence, only after our side of the
// handshake is complete. The rejection appears as a failed read.
bool is_tls_alert(CURLcode code, std::string_view words) {
  return (code == CURLE_RECV_ERROR || code == CURLE_SEND_ERROR) &&
         words.find("SSL routines") != std::string_view::npos &&
         words.find("alert") != std::string_view::npos;
}

// The proxy refused the tunnel. libcurl's message has the status and nothing else of the response.
bool is_refused_tunnel(CURLcode code, std::string_view words) {
  return code == CURLE_RECV_ERROR && words.starts_with("CONNECT tunnel failed, response ");
}

}  // namespace

CurlFailure explain(CURLcode code, std::string_view words) {
  CurlFailure failure{reason_of(code), curl_easy_strerror(code)};
  if (is_tls_alert(code, words)) failure.reason = proto::Reason::kUpstreamTls;
  if (is_refused_tunnel(code, words)) failure.reason = proto::Reason::kUpstreamConnect;
  // For failed connections and handshakes curl's own message says more, and no token was sent yet.
  // Later messages may quote the response.
  const bool before_request = failure.reason == proto::Reason::kUpstreamConnect ||
                              failure.reason == proto::Reason::kUpstreamTls ||
                              failure.reason == proto::Reason::kUpstreamTimeout;
  if (before_request && !words.empty()) failure.detail = printable(words, kMaxDetail);
  // libcurl: "Resolving timed out after 2000 milliseconds".
  if (code == CURLE_OPERATION_TIMEDOUT && words.starts_with("Resolving"))
    failure.detail = "the DNS lookup timed out";
  if (code == CURLE_ABORTED_BY_CALLBACK) failure.detail = "the listener on its socket is untrusted";
  return failure;
}

}  // namespace claimsd::upstream
