// What a caller can get wrong, and what an older or newer caller may leave out or add.
#include <cstddef>
#include <cstring>

#include "tests/client/host.h"
#include "tests/support/catch.h"

namespace claimsd::testing {
namespace {

claimsd_result open_with(const claimsd_options& options) {
  claimsd_handle* handle = nullptr;
  const claimsd_result result = claimsd_open(&options, &handle, nullptr);
  CHECK((handle != nullptr) == (result == CLAIMSD_OK));
  claimsd_close(handle);
  return result;
}

TEST_CASE("opening connects to nothing") {
  Host host;
  CHECK(host.daemon.connections() == 0);
}

TEST_CASE("a handle opens with no options at all") {
  claimsd_handle* handle = nullptr;
  REQUIRE(claimsd_open(nullptr, &handle, nullptr) == CLAIMSD_OK);
  claimsd_close(handle);
  claimsd_close(nullptr);
}

TEST_CASE("options that cannot be met are refused at once") {
  claimsd_options options = CLAIMSD_OPTIONS_INIT;
  CHECK(open_with(options) == CLAIMSD_OK);
  CHECK(claimsd_open(&options, nullptr, nullptr) == CLAIMSD_BAD_ARGUMENT);

  const std::string longest_path(107, 'p');
  const std::string long_path(108, 'p');
  options.socket_path = longest_path.c_str();
  CHECK(open_with(options) == CLAIMSD_OK);
  options.socket_path = long_path.c_str();
  CHECK(open_with(options) == CLAIMSD_BAD_ARGUMENT);
  options.socket_path = "";
  CHECK(open_with(options) == CLAIMSD_BAD_ARGUMENT);
  options.socket_path = nullptr;

  const std::string long_name(proto::kMaxName + 1, 'n');
  options.client_name = long_name.c_str();
  CHECK(open_with(options) == CLAIMSD_BAD_ARGUMENT);
  options.client_name = long_name.c_str() + 1;
  CHECK(open_with(options) == CLAIMSD_OK);

  const std::string long_url(proto::kMaxUrl + 1, 'u');
  options.upstream_url = long_url.c_str();
  CHECK(open_with(options) == CLAIMSD_BAD_ARGUMENT);
  options.upstream_url = nullptr;

  options.max_connections = 1025;
  CHECK(open_with(options) == CLAIMSD_BAD_ARGUMENT);
  options.max_connections = 0;
  options.flags = CLAIMSD_NO_LOCAL_TABLE << 1;
  CHECK(open_with(options) == CLAIMSD_BAD_ARGUMENT);
  options.flags = CLAIMSD_SOCKET_ONLY | CLAIMSD_NO_LOCAL_TABLE;
  CHECK(open_with(options) == CLAIMSD_OK);
  options.flags = 0;
  options.local_entries = 65536;
  CHECK(open_with(options) == CLAIMSD_OK);
  options.local_entries = 65537;
  CHECK(open_with(options) == CLAIMSD_BAD_ARGUMENT);
  options.local_entries = 0;
  options.reserved = 1;
  CHECK(open_with(options) == CLAIMSD_BAD_ARGUMENT);
}

TEST_CASE("a struct without a sensible size is refused") {
  claimsd_options options = CLAIMSD_OPTIONS_INIT;
  constexpr std::size_t kOldest = offsetof(claimsd_options, local_entries);
  for (const std::size_t size : {std::size_t{0}, kOldest - 8, std::size_t{1} << 40}) {
    options.size = size;
    CHECK(open_with(options) == CLAIMSD_BAD_ARGUMENT);
  }
  Host host;
  claimsd_query_request request = CLAIMSD_QUERY_REQUEST_INIT;
  request.token = "t";
  request.token_size = 1;
  request.size = 0;
  CHECK(claimsd_query(host.client.get(), &request, nullptr) == CLAIMSD_BAD_ARGUMENT);
  request.size = sizeof request;
  CHECK(claimsd_query(host.client.get(), &request, nullptr) == CLAIMSD_VALID);
}

TEST_CASE("a program built against the oldest header works with this library") {
  claimsd_options options = CLAIMSD_OPTIONS_INIT;
  options.size = offsetof(claimsd_options, local_entries);
  options.reserved = 77;  // what lies behind its struct
  CHECK(open_with(options) == CLAIMSD_OK);
}

TEST_CASE("a program built against a newer header works with this library") {
  struct Newer {
    claimsd_query_request known = CLAIMSD_QUERY_REQUEST_INIT;
    char more[64];
  } newer;
  std::memset(newer.more, 0x5a, sizeof newer.more);
  newer.known.size = sizeof newer;
  newer.known.token = "user-9";
  newer.known.token_size = 6;
  Host host;
  claimsd_answer* answer = nullptr;
  CHECK(claimsd_query(host.client.get(), &newer.known, &answer) == CLAIMSD_VALID);
  CHECK(std::string(claimsd_answer_id(answer)) == "user-9");
  claimsd_answer_free(answer);
}

TEST_CASE("NULL where something is needed is a bad argument, and leaves no answer") {
  Host host;
  claimsd_query_request request = CLAIMSD_QUERY_REQUEST_INIT;
  request.token_size = 1;  // without a token
  auto* answer = reinterpret_cast<claimsd_answer*>(&request);
  CHECK(claimsd_query(host.client.get(), &request, &answer) == CLAIMSD_BAD_ARGUMENT);
  CHECK(answer == nullptr);
  CHECK(claimsd_query(host.client.get(), nullptr, &answer) == CLAIMSD_BAD_ARGUMENT);
  request.token = "t";
  request.token_size = 1;
  CHECK(claimsd_query(nullptr, &request, &answer) == CLAIMSD_BAD_ARGUMENT);
  CHECK(claimsd_peek(nullptr, &request, &answer) == CLAIMSD_BAD_ARGUMENT);
  CHECK(claimsd_peek(host.client.get(), nullptr, &answer) == CLAIMSD_BAD_ARGUMENT);
  CHECK(claimsd_ping(nullptr, 0, nullptr, nullptr) == CLAIMSD_BAD_ARGUMENT);
  CHECK(host.daemon.connections() == 0);
}

TEST_CASE("a NULL answer reads as unavailable and names no user") {
  CHECK(claimsd_answer_verdict(nullptr) == CLAIMSD_UNAVAILABLE);
  CHECK(std::string(claimsd_answer_id(nullptr)).empty());
  CHECK(std::string(claimsd_answer_email(nullptr)).empty());
  CHECK(std::string(claimsd_answer_json(nullptr, nullptr)) == "{}");
  CHECK(claimsd_answer_role_count(nullptr) == 0);
  CHECK(claimsd_answer_role(nullptr, 0) == nullptr);
  CHECK(claimsd_answer_has_role(nullptr, "rvt") == 0);
  CHECK(claimsd_answer_source(nullptr) == CLAIMSD_SOURCE_NONE);
  CHECK(std::string(claimsd_answer_reason(nullptr)) == "no_resources");
  claimsd_answer_free(nullptr);
}

TEST_CASE("the C++ client says what is wrong with its options") {
  CHECK_THROWS_WITH(Client({.socket_path = ""}), ContainsSubstring("socket_path: 1 to 107 bytes"));
}

TEST_CASE("every result and source has a word") {
  CHECK(std::string(claimsd_result_text(CLAIMSD_VALID)) == "valid");
  CHECK(std::string(claimsd_result_text(CLAIMSD_INVALID)) == "invalid");
  CHECK(std::string(claimsd_result_text(CLAIMSD_OK)) == "ok");
  CHECK(std::string(claimsd_result_text(CLAIMSD_UNAVAILABLE)) == "unavailable");
  CHECK(std::string(claimsd_source_text(CLAIMSD_SOURCE_STALE)) == "stale");
  CHECK(std::string(claimsd_source_text(static_cast<claimsd_source>(7))) == "none");
  CHECK(std::string(claimsd_version()).find('.') != std::string::npos);
}

}  // namespace
}  // namespace claimsd::testing
