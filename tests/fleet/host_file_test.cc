#include "daemon/fleet/host_file.h"

#include <fstream>

#include "tests/support/catch.h"
#include "tests/support/scratch_directory.h"

namespace claimsd::fleet {
namespace {

const std::string kBytes = "00112233445566778899aabbccddeeff";

FleetMark mark(const std::string& fleet, const char* key) {
  return fleet_mark(fleet, Secret(std::string_view(key))).value();
}

}  // namespace

TEST_CASE("an identity is stored and read again") {
  const testing::ScratchDirectory directory;
  const std::string path = directory.path() + "/host";
  CHECK_FALSE(load_host_identity(path).value());
  SystemRandom random;
  HostIdentity made = make_host_identity(mark("prod", "key"), random);
  CHECK(made.id != claims::HostId{});
  REQUIRE(save_host_identity(path, made));
  CHECK_FALSE(load_host_identity(path).value()->was_current_at);
  made.was_current_at = WallTime(seconds(1'700'000'000));
  REQUIRE(save_host_identity(path, made));
  const HostIdentity again = load_host_identity(path).value().value();
  CHECK(again.id == made.id);
  CHECK(again.fleet == made.fleet);
  CHECK(again.was_current_at == made.was_current_at);
}

TEST_CASE("the mark of a fleet depends on its name and its fingerprint key") {
  CHECK(mark("prod", "key") == mark("prod", "key"));
  CHECK_FALSE(mark("prod", "key") == mark("test", "key"));
  CHECK_FALSE(mark("prod", "key") == mark("prod", "another"));
}

TEST_CASE("a damaged identity is refused, not replaced") {
  const testing::ScratchDirectory directory;
  const std::string path = directory.path() + "/host";
  const std::string start = "claimsd-host 1 " + kBytes;
  for (const std::string& text :
       {std::string(), start, start + " " + kBytes, start + " " + kBytes + "\n",
        start + " " + kBytes + " -", start + " " + kBytes + " -1\n", start + " xyz -\n",
        start + " -\n", std::string("claimsd-host 2 x -\n")}) {
    INFO(text);
    std::ofstream(path) << text;
    CHECK_FALSE(load_host_identity(path));
  }
  std::ofstream(path) << start + " " + kBytes + " -\n";
  CHECK(load_host_identity(path));
}

TEST_CASE("an identity that cannot be written is an error") {
  SystemRandom random;
  CHECK_FALSE(save_host_identity("/nonexistent/host", make_host_identity({}, random)));
}

}  // namespace claimsd::fleet
