// What is made of a question before it is sent.
#include "client/src/query_request.h"

#include <string>

#include "client/src/memory.h"
#include "client/src/query_table.h"
#include "tests/support/catch.h"

namespace claimsd::client {
namespace {

TEST_CASE("the daemon gets a little less time than the caller waits, and never none") {
  CHECK(daemon_share_ms(5000) == 4950);
  CHECK(daemon_share_ms(1000) == 950);
  CHECK(daemon_share_ms(160) == 150);
  CHECK(daemon_share_ms(10) == 9);
  CHECK(daemon_share_ms(2) == 1);
  CHECK(daemon_share_ms(1) == 1);
}

TEST_CASE("the bound on a frame's size is one") {
  const std::string token(3000, 't');
  const proto::Query query{.token = token, .client_address = "a", .trace_id = "bb", .route = "ccc"};
  std::string frame(proto::kMaxFrame, '\0');
  const std::size_t size = proto::encode(query, 1, frame.data(), frame.size());
  CHECK(size > 0);
  CHECK(size <= frame_bound(query));
}

TEST_CASE("whatever is said to fit a frame does") {
  std::string token(proto::kMaxTokenField + 100, 't');
  std::string frame(proto::kMaxFrame, '\0');
  int fitting = 0;
  for (std::size_t size = proto::kMaxTokenField - 200; size < token.size(); ++size) {
    const proto::Query query{.token = std::string_view(token).substr(0, size), .route = "GET /"};
    if (!fits_a_frame(query)) continue;
    ++fitting;
    REQUIRE(proto::encode(query, 1, frame.data(), frame.size()) > 0);
  }
  CHECK(fitting > 100);
}

TEST_CASE("request ids are never zero and never of a question given up") {
  QueryTable table;
  REQUIRE(table.create());
  OpenQuery* const first = table.add(proto::Query{.token = "t"}, 1, 0);
  const std::uint32_t id = first->id;
  CHECK(id != 0);
  CHECK(table.find(id) == first);
  table.remove(first);
  CHECK(table.find(id) == nullptr);
  OpenQuery* const second = table.add(proto::Query{.token = "t"}, 2, 0);
  CHECK(second->id != id);
  CHECK(table.find(id) == nullptr);
  CHECK(table.find(0) == nullptr);
  CHECK(table.size() == 1);
}

TEST_CASE("every place of the table can be filled, emptied and filled again") {
  QueryTable table;
  REQUIRE(table.create());
  for (int round = 0; round < 2; ++round) {
    std::uint64_t tag = 0;
    while (!table.full()) REQUIRE(table.add(proto::Query{.token = "t"}, tag++, 0) != nullptr);
    CHECK(table.size() == proto::kMaxOpenQueries);
    table.each([&table](OpenQuery& request) { table.remove(&request); });
    CHECK(table.size() == 0);
  }
}

}  // namespace
}  // namespace claimsd::client
