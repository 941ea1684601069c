#include "daemon/redis/reply_reader.h"

#include "tests/support/catch.h"

namespace claimsd::redis {
namespace {

using Type = Value::Type;

TEST_CASE("replies of each type are read, in pieces of any size") {
  const std::string bytes =
      "*5\r\n$3\r\na\r\n\r\n:-7\r\n$-1\r\n*2\r\n+OK\r\n-ERR no\r\n*0\r\n+PONG\r\n";
  const std::size_t piece = GENERATE(1, 2, 3, 7, 1000);
  ReplyReader reader;
  std::vector<Value> values;
  for (std::size_t at = 0; at < bytes.size(); at += piece) {
    REQUIRE(reader.feed(std::string_view(bytes).substr(at, piece)));
    while (auto value = reader.next().value()) values.push_back(*value);
  }
  REQUIRE(values.size() == 2);
  const Value& root = values[0];
  REQUIRE(root.items.size() == 5);
  CHECK(root.items[0].text == "a\r\n");
  CHECK(root.items[1].number == -7);
  CHECK(root.items[2].is_nil());
  CHECK(root.items[3].items.at(0).is_status("OK"));
  CHECK(root.items[3].items.at(1).is_error("ERR"));
  CHECK((root.items[4].is_array() && root.items[4].items.empty()));
  CHECK(values[1].is_status("PONG"));
}

TEST_CASE("an array header with more values than allowed is refused without allocating them") {
  for (const std::string header : {"*2147483647\r\n", "*65537\r\n", "*4294967295\r\n"}) {
    INFO(header);
    ReplyReader reader;
    const Status fed = reader.feed(header);
    CHECK((!fed || !reader.next()));
  }
}

TEST_CASE("nested arrays share one limit") {
  ReplyReader reader;
  std::string bytes = "*2\r\n";
  for (int i = 0; i < 2; ++i) {
    bytes += "*40000\r\n";
    for (int j = 0; j < 40000; ++j) bytes += ":1\r\n";
  }
  REQUIRE(reader.feed(bytes));
  CHECK_FALSE(reader.next());
}

TEST_CASE("the limit on values applies to each reply, not to all") {
  ReplyReader reader;
  for (int i = 0; i < 3; ++i) {
    std::string bytes = "*60000\r\n";
    for (int j = 0; j < 60000; ++j) bytes += ":1\r\n";
    REQUIRE(reader.feed(bytes));
    CHECK(reader.next().value());
  }
}

TEST_CASE("a reply longer than allowed is refused while it arrives") {
  ReplyReader reader;
  REQUIRE(reader.feed("$1000000000\r\n"));
  const std::string piece(64 * 1024, 'x');
  std::size_t fed = 0;
  while (fed < 2 * kMaxReplyBytes && reader.feed(piece)) {
    REQUIRE_FALSE(reader.next().value());
    fed += piece.size();
  }
  CHECK(fed <= kMaxReplyBytes);
}

TEST_CASE("what is no reply is an error") {
  for (const std::string bytes : {"HTTP/1.1 400 Bad Request\r\n", "$-2\r\n", "*-2\r\n", ":x\r\n",
                                  ",1.5\r\n", "*1\r\n#t\r\n"}) {
    INFO(bytes);
    ReplyReader reader;
    REQUIRE(reader.feed(bytes));
    const auto value = reader.next();
    CHECK((!value || !*value));
  }
}

TEST_CASE("arrays nested too deeply are refused") {
  ReplyReader reader;
  std::string bytes;
  for (int depth = 0; depth < 100; ++depth) bytes += "*1\r\n";
  REQUIRE(reader.feed(bytes));
  CHECK_FALSE(reader.next());
}

}  // namespace
}  // namespace claimsd::redis
