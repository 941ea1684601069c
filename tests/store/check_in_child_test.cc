// A check in a child process: its crash or hang becomes an error, and never ends this process.
#include "daemon/store/check_in_child.h"

#include <unistd.h>

#include "tests/store/store_fixture.h"
#include "tests/support/catch.h"

namespace claimsd::store::testing {
namespace {

constexpr Duration kLong = seconds(30);

bool says(const Status& status, std::string_view text) {
  return !status && status.error().message.find(text) != std::string::npos;
}

}  // namespace

TEST_CASE("a check in a child process returns its result") {
  CHECK(check_in_child([] { return Status(); }, kLong));
  CHECK(says(check_in_child([]() -> Status { return failure("page 7"); }, kLong), "page 7"));
}

TEST_CASE("a check that crashes is an error that names the signal") {
  const auto crash = []() -> Status {
    raise(SIGABRT);
    return {};
  };
  CHECK(says(check_in_child(crash, kLong), "Aborted"));
}

TEST_CASE("a check that hangs is ended and is an error") {
  const auto hang = []() -> Status {
    for (;;) pause();
  };
  CHECK(says(check_in_child(hang, milliseconds(50)), "in time"));
}

TEST_CASE("a missing LMDB file is sound, and a link or a damaged file is not") {
  const ScratchDirectory directory;
  CHECK(check_lmdb_file(directory / "none"));
  write_file(directory / "other", "text");
  CHECK_FALSE(check_lmdb_file(directory / "other"));
  REQUIRE(symlink((directory / "none").c_str(), (directory / "link").c_str()) == 0);
  CHECK_FALSE(check_lmdb_file(directory / "link"));
}

}  // namespace claimsd::store::testing
