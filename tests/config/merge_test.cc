// Drop-in files over the configuration file.
#include <fstream>

#include "daemon/config/read_file.h"
#include "tests/support/catch.h"
#include "tests/support/scratch_directory.h"

namespace claimsd::config {
namespace {

struct Files {
  testing::ScratchDirectory scratch;
  std::string main = scratch / "claimsd.toml";

  explicit Files(const std::string& text) { write(main, text); }
  static void write(const std::string& path, const std::string& text) {
    std::ofstream(path) << text;
  }
  void drop_in(const std::string& name, const std::string& text) const {
    std::filesystem::create_directory(scratch / "conf.d");
    write(scratch / ("conf.d/" + name), text);
  }
};

const Setting& setting(const LoadedConfig& loaded, std::string_view option) {
  for (const Setting& one : loaded.settings) {
    if (one.option == option) return one;
  }
  FAIL("no option " << option);
  throw 0;
}

constexpr char kMain[] =
    "[cache]\nmax_ttl = \"20s\"\n[upstream.main]\nurl = \"https://a.example\"\n"
    "require = {tenant = \"a\"}\n";

}  // namespace

TEST_CASE("a drop-in replaces an option, and the origin names its file and line") {
  const Files files(kMain);
  files.drop_in("50-site.toml", "\n[cache]\nmax_ttl = \"30s\"\n[daemon]\nmax_connections = 99\n");
  const auto loaded = load_config_files(files.main);
  REQUIRE(loaded);
  CHECK(loaded->config.cache.max_ttl == std::chrono::seconds(30));
  CHECK(loaded->config.daemon.max_connections == 99);
  CHECK(setting(*loaded, "cache.max_ttl").origin == files.scratch / "conf.d/50-site.toml" + ":3");
  CHECK(setting(*loaded, "upstream.main.url").origin == files.main + ":4");
}

TEST_CASE("drop-ins apply in the order of their names, and other files are ignored") {
  const Files files(kMain);
  files.drop_in("20.toml", "[cache]\nmax_ttl = \"2s\"\n");
  files.drop_in("10.toml", "[cache]\nmax_ttl = \"1s\"\n");
  files.drop_in("30.toml.bak", "nonsense");
  const auto loaded = load_config_files(files.main);
  REQUIRE(loaded);
  CHECK(loaded->config.cache.max_ttl == std::chrono::seconds(2));
}

TEST_CASE("an option whose value is a table is replaced as a whole; tables with names are added") {
  const Files files(kMain);
  files.drop_in("a.toml",
                "[upstream.main]\nrequire = {realm = \"b\"}\ndefault = true\n"
                "[upstream.second]\nurl = \"https://b.example\"\n");
  const auto loaded = load_config_files(files.main);
  REQUIRE(loaded);
  REQUIRE(loaded->config.upstreams.size() == 2);
  CHECK(loaded->config.upstreams[0].require.size() == 1);
}

TEST_CASE("an error in a drop-in names its file, and one that cannot be read is an error") {
  const Files files(kMain);
  files.drop_in("a.toml", "[cache]\nmax_tll = \"1s\"\n");
  const auto loaded = load_config_files(files.main);
  REQUIRE(!loaded);
  CHECK(loaded.error().message.find(files.scratch / "conf.d/a.toml" + ":2:1: ") == 0);
  files.drop_in("a.toml", "not toml");
  CHECK(
      load_config_files(files.main).error().message.find(files.scratch / "conf.d/a.toml" + ":1") ==
      0);
  std::filesystem::remove(files.scratch / "conf.d/a.toml");
  std::filesystem::create_directory(files.scratch / "conf.d/b.toml");
  CHECK(load_config_files(files.main).error().message.find("b.toml") != std::string::npos);
}

}  // namespace claimsd::config
