// claimsd_open() reports what is wrong; versions and results of the header.
#include "tests/client/host.h"
#include "tests/support/catch.h"

namespace claimsd::testing {
namespace {

// The problem that claimsd_open() reports for options that `change` made wrong.
template <class Change>
std::string problem_with(Change&& change) {
  claimsd_options options = CLAIMSD_OPTIONS_INIT;
  change(options);
  claimsd_handle* handle = nullptr;
  const char* problem = nullptr;
  const claimsd_result result = claimsd_open(&options, &handle, &problem);
  CHECK(handle == nullptr);
  CHECK(result == CLAIMSD_BAD_ARGUMENT);
  return problem == nullptr ? "" : problem;
}

TEST_CASE("a wrong option is reported by name") {
  const std::string name(65, 'n');
  const std::string url(1025, 'u');
  const std::string path(108, 'p');
  CHECK(problem_with([](auto& o) { o.size = 1; }).starts_with("size:"));
  CHECK(problem_with([&](auto& o) { o.socket_path = path.c_str(); }).starts_with("socket_path:"));
  CHECK(problem_with([](auto& o) { o.socket_path = ""; }).starts_with("socket_path:"));
  CHECK(problem_with([&](auto& o) { o.client_name = name.c_str(); }).starts_with("client_name:"));
  CHECK(problem_with([&](auto& o) { o.upstream_url = url.c_str(); }).starts_with("upstream_url:"));
  CHECK(problem_with([](auto& o) { o.max_connections = 1025; }).starts_with("max_connections:"));
  CHECK(problem_with([](auto& o) { o.local_entries = 65537; }).starts_with("local_entries:"));
  CHECK(problem_with([](auto& o) { o.flags = 1u << 31; }).starts_with("flags:"));
  CHECK(problem_with([](auto& o) { o.reserved = 1; }).starts_with("reserved:"));
  claimsd_handle* handle = nullptr;
  const char* problem = "unchanged";
  REQUIRE(claimsd_open(nullptr, &handle, &problem) == CLAIMSD_OK);
  CHECK(problem == nullptr);
  claimsd_close(handle);
}

TEST_CASE("the header has the version of the library") {
  const std::string version = std::to_string(CLAIMSD_VERSION_MAJOR) + "." +
                              std::to_string(CLAIMSD_VERSION_MINOR) + "." +
                              std::to_string(CLAIMSD_VERSION_PATCH);
  CHECK(version == claimsd_version());
}

TEST_CASE("no result but CLAIMSD_VALID is 0") {
  CHECK(CLAIMSD_VALID == 0);
  CHECK(CLAIMSD_OK != CLAIMSD_VALID);
}

}  // namespace
}  // namespace claimsd::testing
