// The directory of a socket, which decides who can receive tokens.
#include "daemon/host/sockets.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <string>

#include "tests/support/catch.h"
#include "tests/support/scratch_directory.h"
#include "tests/support/skip.h"

namespace claimsd::host {
namespace {

constexpr uid_t kNobody = 65534;

struct Place {
  testing::ScratchDirectory scratch;
  std::string directory = scratch / "sockets";
  std::string path = directory + "/claims.sock";

  std::string fault() const {
    const Status status = ensure_socket_directory(path);
    return status ? "" : status.error().message;
  }
  mode_t mode() const {
    struct stat found {};
    REQUIRE(lstat(directory.c_str(), &found) == 0);
    return found.st_mode & 07777;
  }
};

bool contains(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE(
    "a missing socket directory is created for all to enter and one to write, whatever the umask") {
  const Place place;
  const mode_t before = umask(0077);
  CHECK(place.fault().empty());
  umask(before);
  CHECK(place.mode() == 0755);
  CHECK(place.fault().empty());
}

TEST_CASE(
    "a socket directory that others can write to is refused, sticky or not, and not changed") {
  const Place place;
  REQUIRE(mkdir(place.directory.c_str(), 0700) == 0);
  for (const mode_t mode : {0777, 01777, 0775, 0757, 01775}) {
    REQUIRE(chmod(place.directory.c_str(), mode) == 0);
    CHECK(contains(place.fault(), "replace the socket in " + place.directory));
    CHECK(place.mode() == mode);
  }
  for (const mode_t mode : {0700, 0711, 0750, 0755}) {
    REQUIRE(chmod(place.directory.c_str(), mode) == 0);
    CHECK(place.fault().empty());
  }
}

TEST_CASE("a socket directory of another user is refused") {
  if (!test::has_root()) return;
  const Place place;
  REQUIRE(mkdir(place.directory.c_str(), 0755) == 0);
  REQUIRE(chown(place.directory.c_str(), kNobody, kNobody) == 0);
  CHECK(contains(place.fault(), "belongs to uid 65534"));
}

TEST_CASE(
    "a symbolic link in place of the socket directory is refused, and its target is unchanged") {
  const Place place;
  const std::string target = place.scratch / "target";
  REQUIRE(mkdir(target.c_str(), 0700) == 0);
  REQUIRE(symlink(target.c_str(), place.directory.c_str()) == 0);
  CHECK(contains(place.fault(), "symbolic link"));
  struct stat found {};
  REQUIRE(stat(target.c_str(), &found) == 0);
  CHECK((found.st_mode & 07777) == 0700);
}

TEST_CASE("a file in place of the socket directory is refused") {
  const Place place;
  const Fd file(open(place.directory.c_str(), O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
  REQUIRE(file);
  CHECK(contains(place.fault(), "not a directory"));
}

}  // namespace claimsd::host
