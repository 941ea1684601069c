#include "tests/server/session_fixture.h"

namespace claimsd::server {
namespace {

using proto::FailureCode;
using proto::Reason;
using testing::ServiceHarness;

TEST_CASE("a hello is answered with version, clock and the upstream's name") {
  Fixture fixture;
  fixture.consume(hello("https://auth.example.com"));
  const Received received = fixture.wire.take();
  REQUIRE(received.welcome);
  CHECK(received.request == 1);
  CHECK(received.welcome->version == proto::kVersion);
  CHECK(received.welcome->features == 0);
  CHECK(received.welcome->daemon_version == "1.2.3");
  CHECK(received.welcome->upstream_name == "main");
  CHECK(received.welcome->boot_time_ns ==
        static_cast<std::uint64_t>(fixture.harness.clock.now().boot.time_since_epoch().count()));
  CHECK(fixture.session.shook_hands());
}

TEST_CASE("a query is answered with the claims from the Auth API") {
  Fixture fixture;
  fixture.shake_hands();
  fixture.consume(query("token-a", 5), {5});
  CHECK(fixture.wire.empty());
  CHECK(fixture.session.open_queries() == 1);
  fixture.harness.complete_oldest(testing::status(200));
  const Received received = fixture.wire.take();
  REQUIRE(received.answer);
  CHECK(received.request == 5);
  CHECK(received.answer->verdict == static_cast<std::uint8_t>(proto::Verdict::kValid));
  CHECK(received.answer->source == static_cast<std::uint8_t>(proto::Source::kUpstream));
  CHECK(received.answer->reason == 0);
  proto::ClaimsView claims;
  REQUIRE(proto::decode_claims(received.answer->claims, claims));
  CHECK(claims.id == "user-123");
  CHECK(fixture.session.open_queries() == 0);
}

TEST_CASE("pipelined queries are answered with their own ids, in order of completion") {
  Fixture fixture;
  fixture.shake_hands();
  fixture.consume(query("token-a", 1) + query("token-b", 2) + query("token-c", 3), {1, 2, 3});
  fixture.harness.complete_for("token-c", testing::status(200));
  fixture.harness.complete_for("token-a", testing::status(401));
  fixture.harness.complete_for("token-b", testing::status(500));
  Received received = fixture.wire.take();
  CHECK((received.request == 3 && received.answer->verdict == 1));
  received = fixture.wire.take();
  CHECK((received.request == 1 && received.answer->verdict == 2));
  received = fixture.wire.take();
  CHECK((received.request == 2 && received.answer->verdict == 3));
}

TEST_CASE("frames may arrive in pieces of any size") {
  const std::size_t piece = GENERATE(1u, 2u, 11u, 12u, 13u, 64u, 1000u);
  Fixture fixture;
  const std::string bytes =
      hello() + query("token-a", 1) + frame(proto::Ping{.echo = 42}, 2) + query("token-a", 3);
  fixture.harness.sink.expect({kConnection, 1});
  fixture.harness.sink.expect({kConnection, 3});
  for (std::size_t at = 0; at < bytes.size(); at += piece)
    fixture.session.consume(bytes.substr(at, piece));
  CHECK(fixture.wire.take().welcome);
  CHECK(fixture.wire.take().pong->echo == 42);
  fixture.harness.complete_oldest(testing::status(200));
  CHECK(fixture.wire.take().answer->verdict == 1);
  CHECK(fixture.wire.take().answer->verdict == 1);
  CHECK(fixture.wire.empty());
}

TEST_CASE("max_age on the wire is in milliseconds, and its maximum means any age") {
  Fixture fixture;
  fixture.shake_hands();
  fixture.consume(query("token-a", 1), {1});
  fixture.harness.complete_oldest(testing::status(200));
  fixture.harness.advance(milliseconds(900));
  fixture.consume(query("token-a", 2, 1000) + query("token-a", 3), {2, 3});
  CHECK(fixture.harness.upstream.in_flight().empty());
  fixture.consume(query("token-a", 4, 899), {4});
  CHECK(fixture.harness.upstream.in_flight().size() == 1);
}

TEST_CASE(
    "a peer that does not start with hello, or repeats it, gets a failure and is disconnected") {
  Fixture fixture;
  SECTION("a query first") {
    fixture.consume(query("token-a", 9));
  }
  SECTION("a ping first") {
    fixture.consume(frame(proto::Ping{}, 9));
  }
  SECTION("an unknown message first") {
    fixture.consume(std::string("\0\0\0\0\x77\x77\0\0\0\0\0\0", 12));
  }
  SECTION("a second hello") {
    fixture.shake_hands();
    fixture.consume(hello());
  }
  const Received received = fixture.wire.take();
  CHECK(received.failure == FailureCode::kHelloExpected);
  CHECK(received.request == 0);
  CHECK(fixture.wire.hung_up);
  CHECK(fixture.harness.upstream.requests() == 0);
}

TEST_CASE("an unsupported version or unknown upstream fails the handshake with its reason") {
  Fixture fixture;
  SECTION("an older client") {
    fixture.consume(frame(proto::Hello{.version_min = 0, .version_max = 0}, 1));
    CHECK(fixture.wire.take().failure == FailureCode::kVersionMismatch);
  }
  SECTION("a newer client without our version") {
    fixture.consume(frame(proto::Hello{.version_min = proto::kVersion + 1, .version_max = 99}, 1));
    CHECK(fixture.wire.take().failure == FailureCode::kVersionMismatch);
  }
  SECTION("another Auth API") {
    fixture.consume(hello("https://evil.example.com"));
    CHECK(fixture.wire.take().failure == FailureCode::kUnknownUpstream);
  }
  CHECK(fixture.wire.hung_up);
}

TEST_CASE("a client whose version range includes ours gets ours") {
  Fixture fixture;
  fixture.consume(frame(proto::Hello{.version_min = 1, .version_max = 99, .features = ~0ull}, 1));
  const Received received = fixture.wire.take();
  REQUIRE(received.welcome);
  CHECK(received.welcome->version == proto::kVersion);
  CHECK(received.welcome->features == 0);
}

// A client that can use the map.
std::string hello_with_map(std::string_view url = "") {
  return frame(proto::Hello{.version_min = proto::kVersion,
                            .version_max = proto::kVersion,
                            .features = proto::kFeatureSharedMap | 0xff00,
                            .upstream_url = url},
               1);
}

TEST_CASE("a client that requests the map gets it with the welcome, and leases afterwards") {
  Fixture fixture;
  fixture.context.map_descriptor = 42;
  fixture.consume(hello_with_map());
  const Received received = fixture.wire.take();
  REQUIRE(received.welcome);
  CHECK(received.welcome->features == proto::kFeatureSharedMap);
  CHECK(received.welcome->upstream_name == "main");
  CHECK(fixture.wire.descriptors == std::vector<int>{42});
  CHECK(fixture.wire.empty());
  fixture.consume(query("token-a", 2), {2});
  fixture.harness.complete_oldest(testing::status(200));
  CHECK(fixture.harness.publisher.find(fixture.harness.key_of("token-a")));
  CHECK(fixture.wire.descriptors.size() == 1);
}

TEST_CASE("a client without the map sees that in the welcome and causes no leases") {
  Fixture fixture;
  SECTION("it did not request it") {
    fixture.context.map_descriptor = 42;
    fixture.consume(hello());
  }
  SECTION("there is no map") {
    fixture.consume(hello_with_map());
  }
  SECTION("the map could not be sent") {
    fixture.context.map_descriptor = 42;
    fixture.wire.takes_no_descriptor = true;
    fixture.consume(hello_with_map());
  }
  const Received received = fixture.wire.take();
  REQUIRE(received.welcome);
  CHECK(received.welcome->features == 0);
  CHECK(fixture.wire.descriptors.empty());
  CHECK(fixture.wire.empty());
  fixture.consume(query("token-a", 2), {2});
  fixture.harness.complete_oldest(testing::status(200));
  CHECK(fixture.harness.publisher.publications() == 0);
}

TEST_CASE("a refused peer or a failed hello gets no map") {
  Fixture fixture;
  fixture.context.map_descriptor = 42;
  SECTION("refused by admission") {
    fixture.session.refuse(FailureCode::kNotAllowed);
    fixture.session.consume(hello_with_map());
  }
  SECTION("unsupported version") {
    fixture.consume(frame(
        proto::Hello{.version_min = proto::kVersion + 1, .version_max = 99, .features = 1}, 1));
  }
  SECTION("unknown upstream") {
    fixture.consume(hello_with_map("https://evil.example.com"));
  }
  SECTION("another message first") {
    fixture.consume(query("token-a", 1) + hello_with_map());
  }
  CHECK(fixture.wire.hung_up);
  CHECK(fixture.wire.descriptors.empty());
}

TEST_CASE("the first message of a connection is a hello, and no other is") {
  Fixture fixture;
  SECTION("a query before the hello") {
    fixture.consume(query("token-a", 1));
  }
  SECTION("a second hello") {
    fixture.shake_hands();
    fixture.consume(hello());
  }
  CHECK(fixture.wire.take().failure == FailureCode::kHelloExpected);
  CHECK(fixture.wire.hung_up);
  CHECK(fixture.harness.upstream.requests() == 0);
}

TEST_CASE("malformed input ends the connection, and input after it is ignored") {
  Fixture fixture;
  fixture.shake_hands();
  SECTION("a frame over the size limit") {
    const std::uint32_t size = proto::kMaxPayload + 1;
    fixture.consume(std::string(reinterpret_cast<const char*>(&size), sizeof size) +
                    std::string("\x10\0\0\0\x01\0\0\0", 8));
    CHECK(fixture.wire.take().failure == FailureCode::kFrameTooLarge);
  }
  SECTION("reserved flags") {
    fixture.consume(std::string("\0\0\0\0\x10\0\x01\0\x01\0\0\0", 12));
    CHECK(fixture.wire.take().failure == FailureCode::kBadFrame);
  }
  SECTION("a truncated field") {
    fixture.consume(std::string("\x02\0\0\0\x10\0\0\0\x01\0\0\0\xff\xff", 14));
    CHECK(fixture.wire.take().failure == FailureCode::kBadFrame);
  }
  CHECK(fixture.wire.hung_up);
  fixture.session.consume(query("token-a", 1));
  CHECK(fixture.wire.empty());
  CHECK(fixture.harness.upstream.requests() == 0);
}

TEST_CASE(
    "an unknown message, or one only daemons send, is rejected and the connection continues") {
  Fixture fixture;
  fixture.shake_hands();
  SECTION("unknown") {
    fixture.consume(std::string("\0\0\0\0\x77\x77\0\0\x05\0\0\0", 12));
  }
  SECTION("a daemon's message") {
    fixture.consume(frame(proto::Pong{.echo = 1}, 5));
  }
  const Received received = fixture.wire.take();
  CHECK(received.failure == FailureCode::kUnknownMessage);
  CHECK(received.request == 5);
  CHECK_FALSE(fixture.wire.hung_up);
  fixture.consume(frame(proto::Ping{.echo = 1}, 6));
  CHECK(fixture.wire.take().pong);
}

TEST_CASE("fields appended by a newer client are skipped, and missing ones read as empty") {
  Fixture fixture;
  fixture.shake_hands();
  std::string longer = query("token-a", 1) + "tail";
  longer[0] = static_cast<char>(longer[0] + 4);
  fixture.consume(longer, {1});
  CHECK(fixture.harness.upstream.in_flight().size() == 1);
  fixture.consume(std::string("\0\0\0\0\x10\0\0\0\x02\0\0\0", 12), {2});  // a query without a token
  CHECK(fixture.wire.take().answer->reason == static_cast<std::uint16_t>(Reason::kMalformed));
}

TEST_CASE("a connection with too many open queries is closed") {
  Fixture fixture;
  fixture.shake_hands();
  for (std::uint32_t request = 0; request < proto::kMaxOpenQueries; ++request) {
    fixture.consume(query("token-a", request), {request});
  }
  CHECK_FALSE(fixture.wire.hung_up);
  fixture.consume(query("token-a", proto::kMaxOpenQueries));
  CHECK(fixture.wire.take().failure == FailureCode::kTooManyOpen);
  CHECK(fixture.wire.hung_up);
}

TEST_CASE("a refused peer gets the reason before it sends anything") {
  Fixture fixture;
  fixture.session.refuse(FailureCode::kNotAllowed);
  CHECK(fixture.wire.take().failure == FailureCode::kNotAllowed);
  CHECK(fixture.wire.hung_up);
  fixture.session.consume(hello());
  CHECK(fixture.wire.empty());
}

TEST_CASE("many frames arriving together are handled in several iterations, in order") {
  Fixture fixture;
  fixture.shake_hands();
  std::string all;
  for (std::uint32_t request = 0; request < 150; ++request)
    all += frame(proto::Ping{.echo = request}, request);
  fixture.consume(all + all.substr(0, 7));  // the last one is incomplete
  std::uint32_t answered = 0;
  for (const std::uint32_t turn : {64u, 128u, 150u}) {
    for (; !fixture.wire.empty(); ++answered) CHECK(fixture.wire.take().request == answered);
    CHECK(answered == turn);
    CHECK(fixture.session.has_backlog() == (turn < 150));
    fixture.session.consume({});
  }
  fixture.session.consume(std::string_view(all).substr(7, all.size() / 150 - 7));
  CHECK(fixture.wire.take().request == 0);
}

TEST_CASE("a time slice ends when its time is used up, however few frames were handled") {
  Fixture fixture;
  fixture.shake_hands();
  // A query that takes half of the time slice.
  const auto answered = fixture.harness.sink.on_answer;
  fixture.harness.sink.on_answer = [&](const claims::Waiter& waiter) {
    fixture.harness.clock.step_boot(Session::kTimePerIteration / 2);
    answered(waiter);
  };
  std::string all;
  for (std::uint32_t request = 1; request <= 5; ++request) all += query("no token \n", request);
  fixture.consume(all, {1, 2, 3, 4, 5});
  std::uint32_t last = 0;
  for (const std::uint32_t turn : {2u, 4u, 5u}) {
    while (!fixture.wire.empty()) CHECK(fixture.wire.take().request == ++last);
    CHECK(last == turn);
    CHECK(fixture.session.has_backlog() == (turn < 5));
    fixture.session.consume({});
  }
}

TEST_CASE("a query carries the caller's uid and its origin") {
  Fixture fixture;
  fixture.harness.policy.rate_limit.per_client = {.per_second = 1, .burst = 2};
  fixture.harness.policy.rate_limit.reserved_percent = 0;
  fixture.harness.restart();
  SessionContext context = fixture.context;
  SessionContext fresh{.service = *fixture.harness.service,
                       .clock = context.clock,
                       .daemon_version = "1",
                       .find_upstream = context.find_upstream};
  Session session(kConnection, fresh, fixture.wire);
  session.set_peer(7, nullptr);
  session.consume(hello());
  REQUIRE(fixture.wire.take().welcome);
  fixture.harness.sink.on_answer = [&](const claims::Waiter& waiter) {
    session.answer(waiter.request, fixture.harness.answer(waiter).answer);
  };
  const auto query = [&](std::uint32_t request, std::string_view address) {
    fixture.harness.sink.expect({kConnection, request});
    const std::string token = "token" + std::to_string(request);
    session.consume(
        frame(proto::Query{.max_age_ms = proto::kAnyAge, .token = token, .client_address = address},
              request));
  };
  query(1, "192.0.2.1");
  query(2, "192.0.2.1");
  CHECK(fixture.wire.empty());
  query(3, "192.0.2.2");
  CHECK(fixture.wire.empty());
  query(4, "192.0.2.1");
  CHECK(fixture.wire.take().answer->reason ==
        static_cast<std::uint16_t>(Reason::kClientRateLimited));
  CHECK(session.rate_limited() == 1);
  CHECK(fixture.harness.service->flights().waiting_of(7) == 3);
  session.consume(frame(proto::Ping{.echo = 1}, 5));
  CHECK(session.rate_limited() == 0);  // of the latest time slice
}

}  // namespace
}  // namespace claimsd::server
