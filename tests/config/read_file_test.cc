#include "daemon/config/read_file.h"

#include <stdlib.h>

#include <fstream>

#include "daemon/config/load.h"
#include "daemon/config/toml_reader.h"
#include "tests/support/catch.h"

using namespace claimsd::daemon;

namespace {

class TemporaryDirectory {
 public:
  TemporaryDirectory() {
    std::string pattern = std::filesystem::temp_directory_path() / "claimsd-config-XXXXXX";
    path_ = mkdtemp(pattern.data());
  }
  ~TemporaryDirectory() { std::filesystem::remove_all(path_); }
  TemporaryDirectory(const TemporaryDirectory&) = delete;
  TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;
  std::filesystem::path operator/(const char* name) const { return path_ / name; }

 private:
  std::filesystem::path path_;
};

}  // namespace

TEST_CASE("a file is read completely") {
  const TemporaryDirectory directory;
  const std::string text(10'000, '#');
  std::ofstream(directory / "claimsd.toml") << text;
  CHECK(read_config_file(directory / "claimsd.toml").value() == text);
}

TEST_CASE("an unreadable file is named with the reason and the fix") {
  const TemporaryDirectory directory;
  const auto path = directory / "missing.toml";
  CHECK(read_config_file(path).error().message ==
        "cannot read the configuration " + path.string() +
            ": No such file or directory; create it, or name another file with --config");
  const auto itself = directory / "";
  CHECK(read_config_file(itself).error().message ==
        "cannot read the configuration " + itself.string() +
            ": Is a directory; name a file, not a directory");
}

TEST_CASE("an endless file is read only as far as needed to reject it") {
  const auto text = read_config_file("/dev/zero");
  REQUIRE(text);
  CHECK(text->size() > kMaxConfigBytes);
  CHECK(text->size() <= kMaxConfigBytes + 4096);
  CHECK_FALSE(load_config(*text, "/dev/zero"));
}
