#include "daemon/upstream/curl_reason.h"

#include "tests/support/catch.h"

namespace claimsd::upstream {
namespace {

using proto::Reason;

TEST_CASE("no curl error counts as valid, invalid or unknown") {
  for (int code = 1; code < CURL_LAST; ++code) {
    const CurlFailure failure = explain(static_cast<CURLcode>(code), "");
    INFO(code);
    CHECK(proto::verdict_of(failure.reason) == proto::Verdict::kUnavailable);
    CHECK_FALSE(failure.detail.empty());
  }
}

TEST_CASE("different kinds of failure have different reasons") {
  CHECK(explain(CURLE_OPERATION_TIMEDOUT, "").reason == Reason::kUpstreamTimeout);
  CHECK(explain(CURLE_COULDNT_RESOLVE_HOST, "").reason == Reason::kUpstreamConnect);
  CHECK(explain(CURLE_COULDNT_CONNECT, "").reason == Reason::kUpstreamConnect);
  CHECK(explain(CURLE_PEER_FAILED_VERIFICATION, "").reason == Reason::kUpstreamTls);
  CHECK(explain(CURLE_SSL_CONNECT_ERROR, "").reason == Reason::kUpstreamTls);
  CHECK(explain(CURLE_PARTIAL_FILE, "").reason == Reason::kUpstreamProtocol);
  CHECK(explain(CURLE_WEIRD_SERVER_REPLY, "").reason == Reason::kUpstreamProtocol);
  CHECK(explain(CURLE_OUT_OF_MEMORY, "").reason == Reason::kUpstreamProtocol);
}

TEST_CASE("curl's message is kept only if the server cannot have influenced it") {
  const std::string words = "Invalid Content-Length: user-123";
  CHECK(explain(CURLE_WEIRD_SERVER_REPLY, words).detail.find("user-123") == std::string::npos);
  CHECK(explain(CURLE_COULDNT_CONNECT, "Failed to connect to auth.example.com").detail ==
        "Failed to connect to auth.example.com");
  CHECK(explain(CURLE_PEER_FAILED_VERIFICATION, "a\nb").detail == "a\\nb");
}

TEST_CASE("a proxy that refuses the tunnel is a failure to connect, with its status") {
  const CurlFailure failure = explain(CURLE_RECV_ERROR, "CONNECT tunnel failed, response 407");
  CHECK(failure.reason == Reason::kUpstreamConnect);
  CHECK(failure.detail == "CONNECT tunnel failed, response 407");
}

TEST_CASE("an alert after the handshake is a TLS failure, a lost connection is not") {
  CHECK(explain(CURLE_RECV_ERROR,
                "OpenSSL SSL_read: error:0A00045C:SSL routines::tlsv13 alert certificate required, "
                "errno 0")
            .reason == Reason::kUpstreamTls);
  CHECK(explain(CURLE_RECV_ERROR,
                "OpenSSL SSL_read: error:0A000126:SSL routines::unexpected eof while reading")
            .reason == Reason::kUpstreamProtocol);
  CHECK(explain(CURLE_RECV_ERROR, "Recv failure: Connection reset by peer").reason ==
        Reason::kUpstreamProtocol);
}

}  // namespace
}  // namespace claimsd::upstream
