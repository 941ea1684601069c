// Answers without the daemon: where they come from, and each condition under which they don't.
#include "tests/client/map_host.h"
#include "tests/client/stream_helpers.h"
#include "tests/support/catch.h"

namespace claimsd::testing {
namespace {

const std::string kToken = long_token();

// A host that has met its daemon, and a lease in its map.
struct Published : MapHost {
  explicit Published(const LeaseOptions& lease = {}) {
    meet();
    publish(kToken, lease);
  }
};

TEST_CASE("a lease answers out of the map first and out of this process' own table then") {
  Published host;
  CHECK(host.ask(kToken) == Source::kShared);
  CHECK(host.ask(kToken) == Source::kLocal);
  CHECK(host.ask(kToken) == Source::kLocal);
  const claimsd_statistics counted = host.client.statistics();
  CHECK(counted.local_hits == 2);
  CHECK(counted.shared_hits == 1);
  CHECK(counted.socket_queries == 1);
  CHECK(counted.maps == 1);
  CHECK(counted.map_in_use == 1);
  CHECK(counted.map_slots == proto::kMinSlots);
  CHECK(counted.local_entries == 512);
  CHECK(std::string(counted.map_text) == "in use");
}

TEST_CASE("an answer out of the map or the table is the one that was published") {
  MapHost host;
  host.meet();
  LeaseOptions lease;
  lease.confirmed_at -= 3 * kSecond;
  lease.lease_end = boot_now() + 5 * kSecond;
  host.map->publish(
      kToken, claims_block("7", "tech@example.com", {"rvt", "doctor", ""}, R"({"id":7})"), lease);
  for (const Source source : {Source::kShared, Source::kLocal}) {
    const Answer answer = host.client.query(kToken);
    REQUIRE(answer.valid());
    CHECK(answer.source() == source);
    CHECK(answer.claims().id() == "7");
    CHECK(answer.claims().email() == "tech@example.com");
    CHECK(answer.claims().roles() == std::vector<std::string_view>{"rvt", "doctor", ""});
    CHECK(answer.claims().json() == R"({"id":7})");
    CHECK(answer.reason() == "ok");
    CHECK(answer.age() >= 3s);
    CHECK(answer.age() < 60s);
    CHECK(answer.ttl() <= 5s);
    CHECK(answer.ttl() > 0s);
  }
}

TEST_CASE("a query without an answer pointer is served from the map and the table") {
  Published host;
  claimsd_query_request request = CLAIMSD_QUERY_REQUEST_INIT;
  request.token = kToken.data();
  request.token_size = kToken.size();
  for (int i = 0; i < 3; ++i) {
    CHECK(claimsd_query(host.client.get(), &request, nullptr) == CLAIMSD_VALID);
  }
  CHECK(host.client.statistics().shared_hits == 1);
  CHECK(host.client.statistics().local_hits == 2);
}

TEST_CASE("a peek finds published tokens and sends no query for others") {
  MapHost host;
  CHECK_FALSE(host.client.peek(kToken));  // not even for the map
  host.meet();
  CHECK_FALSE(host.client.peek(kToken));
  host.publish(kToken);
  for (const Source source : {Source::kShared, Source::kLocal}) {
    const auto answer = host.client.peek(kToken);
    REQUIRE(answer);
    CHECK(answer->source() == source);
    CHECK(answer->claims().id() == id_of(kToken));
  }
  CHECK_FALSE(host.client.peek(kToken, {.max_age = 0s}));
  CHECK_FALSE(host.client.peek("a token that is short"));
  host.map->revoke(kToken);
  CHECK_FALSE(host.client.peek(kToken));
  CHECK(host.client.statistics().socket_queries == 1);
}

TEST_CASE("a token of which there is no lease is asked of the daemon") {
  Published host;
  CHECK(host.ask(long_token(1)) == Source::kCache);
}

TEST_CASE("a token that is too short to be published is not looked for") {
  MapHost host;
  host.meet();
  const std::string just_short(proto::kMinPublishedToken - 1, 't');
  host.publish(just_short);
  CHECK(host.ask(just_short) == Source::kCache);
  const std::string long_enough(proto::kMinPublishedToken, 't');
  host.publish(long_enough);
  CHECK(host.ask(long_enough) == Source::kShared);
}

TEST_CASE("a lease that has ended is not believed") {
  Published host(LeaseOptions{.lease_end = boot_now() - 1});
  CHECK(host.ask(kToken) == Source::kCache);
}

TEST_CASE("a token whose own end has come is not believed, however long its lease") {
  Published host(LeaseOptions{.hard_end = wall_now() - 1});
  CHECK(host.ask(kToken) == Source::kCache);
}

TEST_CASE("a lease that was confirmed in the future is not believed") {
  Published host(LeaseOptions{.confirmed_at = boot_now() + kSecond});
  CHECK(host.ask(kToken) == Source::kCache);
}

TEST_CASE("a lease of another epoch is not believed") {
  Published host(LeaseOptions{.epoch_ahead = 1});
  CHECK(host.ask(kToken) == Source::kCache);
}

TEST_CASE("a lease of another upstream is not found") {
  MapHost host;
  host.meet();
  host.publish(kToken, {.upstream = 8});
  CHECK(host.ask(kToken) == Source::kCache);
}

TEST_CASE("a lease whose slot names another upstream than its key is not believed") {
  Published host(LeaseOptions{.said_upstream = 8});
  CHECK(host.ask(kToken) == Source::kCache);
}

TEST_CASE("max_age is judged by when the token was confirmed") {
  LeaseOptions lease;
  lease.confirmed_at -= 2 * kSecond;
  Published host(lease);
  CHECK(host.ask(kToken, {.max_age = 1s}) == Source::kCache);
  CHECK(host.ask(kToken, {.max_age = 600s}) == Source::kShared);
  CHECK(host.ask(kToken, {.max_age = 600s}) == Source::kLocal);
  CHECK(host.ask(kToken, {.max_age = 1s}) == Source::kCache);
  CHECK(host.ask(kToken) == Source::kLocal);  // it was too old for one question, not for all
}

TEST_CASE("max_age 0 asks the daemon always") {
  Published host;
  CHECK(host.ask(kToken, {.max_age = 0s}) == Source::kCache);
  CHECK(host.ask(kToken) == Source::kShared);
  CHECK(host.ask(kToken, {.max_age = 0s}) == Source::kCache);
}

TEST_CASE("the map of a daemon without a heartbeat is not used") {
  const bool from_local = GENERATE(false, true);
  Published host;
  if (from_local) REQUIRE(host.ask(kToken) == Source::kShared);
  host.map->header().heartbeat = boot_now() - 2 * kSecond - kSecond / 10;
  CHECK(host.ask(kToken) == Source::kCache);
  host.map->header().heartbeat = 0;
  CHECK(host.ask(kToken) == Source::kCache);
  host.map->header().heartbeat = boot_now() + 100 * kSecond;
  CHECK(host.ask(kToken) == Source::kCache);
  host.map->header().heartbeat = boot_now() - kSecond;
  CHECK(host.ask(kToken) == (from_local ? Source::kLocal : Source::kShared));
}

TEST_CASE("the table forgets an answer whose slot was overwritten") {
  Published host;
  REQUIRE(host.ask(kToken) == Source::kShared);
  REQUIRE(host.ask(kToken) == Source::kLocal);
  host.map->revoke(kToken);
  CHECK(host.ask(kToken) == Source::kCache);
  host.publish(kToken);
  CHECK(host.ask(kToken) == Source::kShared);
}

TEST_CASE("the table forgets an answer whose slot another publication took, or is taking") {
  Published host;
  REQUIRE(host.ask(kToken) == Source::kShared);
  host.publish(kToken);
  CHECK(host.ask(kToken) == Source::kShared);
  CHECK(host.ask(kToken) == Source::kLocal);
  ++host.map->slot_of(kToken)[proto::kSlotSequence];
  CHECK(host.ask(kToken) == Source::kCache);
}

TEST_CASE("the table forgets everything when everything is revoked") {
  Published host;
  REQUIRE(host.ask(kToken) == Source::kShared);
  ++host.map->header().epoch;
  CHECK(host.ask(kToken) == Source::kCache);
  host.publish(kToken);
  CHECK(host.ask(kToken) == Source::kShared);
}

// The table judges its copy of the terms: what the map says later about the slot does not matter,
// so the lease is let run out.
TEST_CASE("the table forgets an answer whose lease or token ends") {
  const bool by_token = GENERATE(false, true);
  const std::uint64_t length = kSecond / 5;
  LeaseOptions lease;
  if (by_token) {
    lease.hard_end = wall_now() + length;
  } else {
    lease.lease_end = boot_now() + length;
  }
  Published host(lease);
  REQUIRE(host.ask(kToken) == Source::kShared);
  while (by_token ? wall_now() < lease.hard_end : boot_now() < lease.lease_end) {
    host.map->beat();
  }
  CHECK(host.ask(kToken) == Source::kCache);
}

TEST_CASE("a slot that is being written costs a few tries, then the daemon is asked") {
  Published host;
  proto::MapWord& sequence = host.map->slot_of(kToken)[proto::kSlotSequence];
  ++sequence;  // and its writer was killed there
  CHECK(host.ask(kToken) == Source::kCache);
  --sequence;
  CHECK(host.ask(kToken) == Source::kShared);
}

TEST_CASE("a handle without the fast path asks the daemon always") {
  MapHost host({.flags = CLAIMSD_SOCKET_ONLY});
  host.meet();
  host.publish(kToken);
  CHECK(host.ask(kToken) == Source::kCache);
  CHECK(host.ask(kToken) == Source::kCache);
  const claimsd_statistics counted = host.client.statistics();
  CHECK(counted.socket_queries == 3);
  CHECK(counted.maps == 0);
  CHECK(counted.local_entries == 0);
  CHECK(std::string(counted.map_text).find("CLAIMSD_SOCKET_ONLY") != std::string::npos);
}

TEST_CASE("a handle without a table of its own asks the map always") {
  MapHost host({.flags = CLAIMSD_NO_LOCAL_TABLE});
  host.meet();
  host.publish(kToken);
  CHECK(host.ask(kToken) == Source::kShared);
  CHECK(host.ask(kToken) == Source::kShared);
}

TEST_CASE("a small table gives up the answers that end first") {
  MapHost host({.local_entries = 4}, {.slots = 1024});
  host.meet();
  for (int i = 0; i < 12; ++i) {
    host.publish(long_token(i),
                 {.lease_end = boot_now() + (60 + static_cast<std::uint64_t>(i)) * kSecond});
    REQUIRE(host.ask(long_token(i)) == Source::kShared);
  }
  CHECK(host.client.statistics().local_entries == 4);
  for (int i = 8; i < 12; ++i) CHECK(host.ask(long_token(i)) == Source::kLocal);
  CHECK(host.ask(long_token(7)) == Source::kShared);
}

TEST_CASE("a token too long for the table is answered out of the map each time") {
  MapHost host;
  host.meet();
  const std::string token(proto::kMaxToken, 't');
  host.map->publish(token, claims_block("7"));
  for (int i = 0; i < 3; ++i) CHECK(host.client.query(token).source() == Source::kShared);
}

TEST_CASE("a stream answers out of map and table, in order, and its descriptor says so") {
  Published host;
  Stream stream(host.client);
  for (const Source source : {Source::kShared, Source::kLocal}) {
    REQUIRE(stream.send(kToken, 5));
    CHECK(stream.pending() == 1);
    const Stream::Completed completed = receive_one(stream);
    CHECK(completed.tag == 5);
    CHECK(completed.answer.source() == source);
    CHECK(completed.answer.claims().id() == "id-" + kToken);
  }
  REQUIRE(stream.send(kToken, 6, {.max_age = 0s}));
  CHECK(receive_one(stream).answer.source() == Source::kCache);
}

TEST_CASE("a stream that has known and unknown answers to wait for gets them all") {
  Published host;
  Stream stream(host.client);
  for (std::uint64_t i = 0; i < 100; ++i) {
    REQUIRE(stream.send(i % 3 == 0 ? long_token(1) : kToken, i));
  }
  std::vector<bool> seen(100);
  for (const auto& completed : receive_all(stream)) {
    CHECK(completed.answer.valid());
    CHECK_FALSE(seen[completed.tag]);
    seen[completed.tag] = true;
    CHECK((completed.answer.source() == Source::kCache) == (completed.tag % 3 == 0));
  }
}

TEST_CASE("a stream that connects first brings the map for all") {
  MapHost host;
  host.publish(kToken);
  Stream stream(host.client);
  REQUIRE(stream.send(kToken, 1));
  CHECK(receive_one(stream).answer.source() == Source::kCache);
  CHECK(host.ask(kToken) == Source::kShared);
}

}  // namespace
}  // namespace claimsd::testing
