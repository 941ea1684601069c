#include "daemon/upstream/recovery.h"

#include "tests/support/catch.h"

namespace claimsd::upstream {
namespace {

constexpr Attempt kReused{.reused = true, .sent = true, .proven = true};

Attempt with(Attempt attempt, CURLcode code, int status = 0) {
  attempt.code = code;
  attempt.status = status;
  return attempt;
}

TEST_CASE("a success changes nothing") {
  const Recovery recovery = recovery_of(with(kReused, CURLE_OK, 200));
  CHECK_FALSE(recovery.repeat);
  CHECK_FALSE(recovery.drop);
}

TEST_CASE("a kept connection that times out or answers 5xx condemns the other kept ones") {
  CHECK(recovery_of(with(kReused, CURLE_OPERATION_TIMEDOUT)).drop);
  CHECK(recovery_of(with(kReused, CURLE_OK, 503)).drop);
  CHECK_FALSE(recovery_of(with(kReused, CURLE_OPERATION_TIMEDOUT)).repeat);
  const Attempt fresh{.sent = true, .proven = true};
  CHECK_FALSE(recovery_of(with(fresh, CURLE_OPERATION_TIMEDOUT)).drop);
  CHECK_FALSE(recovery_of(with(fresh, CURLE_OK, 503)).drop);
  CHECK_FALSE(recovery_of(with(kReused, CURLE_OK, 403)).drop);
}

TEST_CASE("a connection that closes on its reuse is replaced within the request") {
  for (const CURLcode code : {CURLE_GOT_NOTHING, CURLE_SEND_ERROR, CURLE_RECV_ERROR})
    CHECK(recovery_of(with(kReused, code)).repeat);
  SECTION("not after the response has begun") {
    CHECK_FALSE(recovery_of(with(kReused, CURLE_RECV_ERROR, 200)).repeat);
  }
  SECTION("not if the connection was new") {
    CHECK_FALSE(recovery_of(with({.sent = true}, CURLE_GOT_NOTHING)).repeat);
  }
  SECTION("not without end") {
    Attempt last = with(kReused, CURLE_GOT_NOTHING);
    last.number = kMaxAttempts;
    CHECK_FALSE(recovery_of(last).repeat);
  }
}

TEST_CASE("a failure to connect resolves the name again, if its address was good before") {
  const Attempt proven{.proven = true};
  for (const CURLcode code : {CURLE_COULDNT_CONNECT, CURLE_OPERATION_TIMEDOUT}) {
    CHECK(recovery_of(with(proven, code)).repeat);
    CHECK(recovery_of(with(proven, code)).drop);
    CHECK_FALSE(recovery_of(with({}, code)).repeat);
    CHECK_FALSE(recovery_of(with({}, code)).drop);
  }
  CHECK(recovery_of(with(proven, CURLE_PEER_FAILED_VERIFICATION)).drop);
  CHECK_FALSE(recovery_of(with(proven, CURLE_PEER_FAILED_VERIFICATION)).repeat);
  CHECK_FALSE(recovery_of(with(proven, CURLE_COULDNT_RESOLVE_HOST)).drop);
}

TEST_CASE("an HTTP/2 stream that was not processed is repeated, a silent connection is dropped") {
  Attempt http2{.sent = true, .http2 = true};
  for (const CURLcode code : {CURLE_HTTP2, CURLE_HTTP2_STREAM, CURLE_RECV_ERROR}) {
    CHECK(recovery_of(with(http2, code)).repeat);
    CHECK(recovery_of(with(http2, code, 200)).repeat);
  }
  CHECK(recovery_of(with(http2, CURLE_OPERATION_TIMEDOUT)).drop);
  SECTION("once only over new connections") {
    http2.number = 2;
    CHECK_FALSE(recovery_of(with(http2, CURLE_HTTP2_STREAM)).repeat);
  }
}

}  // namespace
}  // namespace claimsd::upstream
