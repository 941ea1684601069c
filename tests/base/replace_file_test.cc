#include "daemon/base/replace_file.h"

#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "tests/support/catch.h"
#include "tests/support/scratch_directory.h"

using namespace claimsd;
using claimsd::testing::ScratchDirectory;

namespace {

std::string content_of(const std::string& path) {
  std::ostringstream text;
  text << std::ifstream(path).rdbuf();
  return text.str();
}

}  // namespace

TEST_CASE("the content is replaced as a whole, for the owner alone, and nothing else is left") {
  const ScratchDirectory directory;
  const std::string path = directory.path() + "/file";
  REQUIRE(replace_file(path, "a longer first content"));
  REQUIRE(replace_file(path, "second"));
  CHECK(content_of(path) == "second");
  struct stat file {};
  REQUIRE(stat(path.c_str(), &file) == 0);
  CHECK((file.st_mode & 0777) == 0600);
  CHECK_FALSE(std::filesystem::exists(path + ".new"));
}

TEST_CASE("a link that waits at the name of the new file is not followed") {
  const ScratchDirectory directory;
  const std::string path = directory.path() + "/file";
  const std::string other = directory.path() + "/other";
  std::ofstream(other) << "untouched";
  std::filesystem::create_symlink(other, path + ".new");
  CHECK_FALSE(replace_file(path, "content"));
  CHECK(content_of(other) == "untouched");
  CHECK(replace_file(path, "content"));  // the link is gone
  CHECK(content_of(path) == "content");
}

TEST_CASE("a failure names the file, the reason and what to do, and keeps the earlier content") {
  const Status missing = replace_file("/nonexistent/file", "content");
  REQUIRE_FALSE(missing);
  CHECK(missing.error().message ==
        "cannot write /nonexistent/file: No such file or directory; free disk space, or allow the "
        "daemon's user to write there");

  const ScratchDirectory directory;
  const std::string path = directory.path() + "/file";
  std::filesystem::create_directory(path);
  CHECK_FALSE(replace_file(path, "content"));
  CHECK(std::filesystem::is_directory(path));
  CHECK_FALSE(std::filesystem::exists(path + ".new"));
}
