#include "daemon/config/read_file.h"

#include <fstream>

#include "daemon/config/load.h"
#include "daemon/config/toml_reader.h"
#include "tests/support/catch.h"
#include "tests/support/scratch_directory.h"

using namespace claimsd;
using namespace claimsd::config;
using claimsd::testing::ScratchDirectory;

TEST_CASE("a file is read completely") {
  const ScratchDirectory directory;
  const std::string text(10'000, '#');
  std::ofstream(directory / "claimsd.toml") << text;
  CHECK(read_config_file(directory / "claimsd.toml").value() == text);
}

TEST_CASE("an unreadable file is named with the reason and the fix") {
  const ScratchDirectory directory;
  const auto path = directory / "missing.toml";
  CHECK(read_config_file(path).error().message ==
        "cannot read the configuration " + path +
            ": No such file or directory; create it, or name another file with --config");
  const auto itself = directory / "";
  CHECK(read_config_file(itself).error().message ==
        "cannot read the configuration " + itself +
            ": Is a directory; name a file, not a directory");
}

TEST_CASE("an endless file is read only as far as needed to reject it") {
  const auto text = read_config_file("/dev/zero");
  REQUIRE(text);
  CHECK(text->size() > kMaxConfigBytes);
  CHECK(text->size() <= kMaxConfigBytes + 4096);
  CHECK_FALSE(load_config(*text, "/dev/zero"));
}

TEST_CASE("files that lack nothing but a URL name the option to set") {
  const ScratchDirectory directory;
  const auto missing = [&](const std::string& text) {
    std::ofstream(directory / "claimsd.toml") << text;
    return missing_url(directory / "claimsd.toml");
  };
  CHECK(missing("[log]\nlevel = \"info\"\n") == "upstream.main.url");
  CHECK(missing("[upstream.other]\n") == "upstream.other.url");
  CHECK(missing("[upstream.main]\nurl = \"\"\n") == "upstream.main.url");
  CHECK_FALSE(missing("[upstream.main]\nurl = \"https://auth.example.com\"\n"));
  // Another fault is an error as ever, and so is one of several Auth APIs without a URL.
  CHECK_FALSE(missing("[upstream.main]\nnonsense = 1\n"));
  CHECK_FALSE(missing("[upstream.one]\nurl = \"https://a.example\"\n[upstream.two]\n"));
  CHECK_FALSE(missing_url(directory / "absent.toml"));
}
