// claimsd_read_answer(): all fields of an answer with one call.
#include <cstring>

#include "tests/client/map_host.h"
#include "tests/support/catch.h"

namespace claimsd::testing {
namespace {

std::string text_of(const char* data, std::size_t size) {
  REQUIRE(data != nullptr);
  return {data, size};
}

std::string some_claims() {
  return claims_block("7", "tech@example.com", {"rvt", "", "doctor"}, R"({"id":7})");
}

// The view of an answer with some_claims().
void check_view(const Answer& answer, claimsd_source source) {
  const claimsd_answer_view view = answer.view();
  CHECK(view.size == sizeof view);
  CHECK(view.verdict == CLAIMSD_VALID);
  CHECK(view.source == source);
  CHECK(text_of(view.id, view.id_size) == "7");
  CHECK(text_of(view.email, view.email_size) == "tech@example.com");
  CHECK(text_of(view.json, view.json_size) == R"({"id":7})");
  CHECK(view.role_count == 3);
  CHECK(text_of(view.roles, view.roles_size) == std::string("rvt\0\0doctor\0", 12));
  CHECK(view.ttl_ms == answer.ttl().count());
}

TEST_CASE("a view has all fields of an answer from the socket") {
  const Host host(always(valid_answer({}), some_claims()));
  check_view(host.client.query("t"), CLAIMSD_SOURCE_CACHE);
}

TEST_CASE("a view has all fields of an answer from the map and from the local table") {
  MapHost host;
  host.meet();
  host.map->publish(long_token(), some_claims());
  for (const claimsd_source source : {CLAIMSD_SOURCE_SHARED, CLAIMSD_SOURCE_LOCAL}) {
    host.map->beat();
    check_view(host.client.query(long_token()), source);
  }
}

TEST_CASE("a view without claims, or of a NULL answer, has empty texts and no NULL") {
  Host host(always(refusal(proto::Verdict::kInvalid, proto::Reason::kRejected)));
  const Answer answer = host.client.query("t");
  claimsd_answer_view view = answer.view();
  CHECK(view.verdict == CLAIMSD_INVALID);
  CHECK(text_of(view.reason, view.reason_size) == "rejected");
  CHECK(text_of(view.text, view.text_size) == std::string(answer.text()));
  for (int i = 0; i < 2; ++i) {
    CHECK(text_of(view.id, view.id_size).empty());
    CHECK(text_of(view.email, view.email_size).empty());
    CHECK(text_of(view.roles, view.roles_size).empty());
    CHECK(text_of(view.json, view.json_size) == "{}");
    view = CLAIMSD_ANSWER_VIEW_INIT;
    REQUIRE(claimsd_read_answer(nullptr, &view) == CLAIMSD_OK);
    CHECK(view.verdict == CLAIMSD_UNAVAILABLE);
  }
}

TEST_CASE("a view of a newer header is filled as far as the library knows it") {
  struct Newer {
    claimsd_answer_view known = CLAIMSD_ANSWER_VIEW_INIT;
    char more[32];
  } newer;
  std::memset(newer.more, 0x5a, sizeof newer.more);
  newer.known.size = sizeof newer;
  CHECK(claimsd_read_answer(nullptr, &newer.known) == CLAIMSD_OK);
  CHECK(newer.known.size == sizeof newer.known);
  CHECK(newer.more[0] == 0x5a);
}

}  // namespace
}  // namespace claimsd::testing
