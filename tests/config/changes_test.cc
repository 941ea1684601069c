// What a reload changes, and what it must reject.
#include "daemon/config/changes.h"

#include <fmt/core.h>

#include "daemon/config/options.h"
#include "tests/support/catch.h"

using namespace claimsd;
using namespace claimsd::config;

namespace {

constexpr std::string_view kUpstream = "[upstream.main]\nurl = \"https://a.example\"\n";

LoadedConfig loaded(const std::string& text, std::string_view filename = "f.toml") {
  auto made = load_config(text, filename);
  INFO((made ? "" : made.error().message));
  REQUIRE(made);
  return std::move(*made);
}

LoadedConfig with(const std::string& text) {
  return loaded(text + "\n" + std::string(kUpstream));
}

std::string upstream_and(std::string_view more) {
  return fmt::format("{}{}", kUpstream, more);
}

}  // namespace

TEST_CASE("an equivalent configuration is no change, however it is written") {
  CHECK(compare(with(""), with(""))->empty());
  CHECK(compare(with("[cache]\nmax_ttl = \"60s\""), with("[cache]\nmax_ttl = \"1m\""))->empty());
  CHECK(compare(with("[cache]\nmax_ttl = \"60s\""), with(""))->empty());
  CHECK(compare(with("[daemon]\nallowed_uids = [1, 2]"), with("[daemon]\nallowed_uids=[1,2]"))
            ->empty());
}

TEST_CASE("a change lists its option, both values and its place") {
  const auto changes = compare(with(""), with("[cache]\nmax_ttl = \"2s\""));
  REQUIRE(changes);
  REQUIRE(changes->size() == 1);
  const Change& change = changes->front();
  CHECK(change.option == "cache.max_ttl");
  CHECK(change.from == "\"60s\"");
  CHECK(change.to == "\"2s\"");
  CHECK(change.origin == "f.toml:2");
}

TEST_CASE(
    "an option that needs a restart rejects the whole reload, and each one is named with its "
    "place") {
  const auto refused = compare(
      with(""), with("[cache]\nmax_ttl = \"2s\"\nmax_entries = 500\n[daemon]\nsocket = \"/x\""));
  REQUIRE_FALSE(refused);
  const std::string& message = refused.error().message;
  CHECK(message.find("f.toml:5: daemon.socket: \"/x\" in the file") == 0);
  CHECK(message.find(
            "\nf.toml:3: cache.max_entries: 500 in the file, 100000 in the running daemon") !=
        std::string::npos);
  CHECK(message.find("max_ttl") == std::string::npos);
}

TEST_CASE("adding or removing an upstream is rejected") {
  const LoadedConfig one = loaded(std::string(kUpstream));
  const LoadedConfig both =
      loaded(upstream_and("default = true\n[upstream.b]\nurl = \"https://b.example\"\n"));
  const auto came = compare(one, both);
  REQUIRE_FALSE(came);
  CHECK(came.error().message.find("f.toml:5: upstream.b: added to the file") != std::string::npos);
  const auto went = compare(both, one);
  REQUIRE_FALSE(went);
  CHECK(went.error().message.find("upstream.b: removed from the file") != std::string::npos);
}

TEST_CASE("a changed URL is shown with both values: an accepted URL contains no password") {
  const std::string before = upstream_and("proxy = \"http://alpha.example:1\"\n");
  const std::string after = upstream_and("proxy = \"http://beta.example:1\"\n");
  const auto refused = compare(loaded(before), loaded(after));
  REQUIRE_FALSE(refused);
  CHECK(refused.error().message.find("\"http://beta.example:1\" in the file, "
                                     "\"http://alpha.example:1\" in") != std::string::npos);
  for (const char* const option : {"url", "proxy"}) {
    const std::string text =
        fmt::format("[upstream.main]\n{} = \"https://user:secret@auth.example\"\n", option);
    const auto with_password = load_config(text, "f.toml");
    REQUIRE_FALSE(with_password);
    CHECK(with_password.error().message.find("secret") == std::string::npos);
  }
}
