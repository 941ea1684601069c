// The checks of [fleet].
#include "daemon/config/load.h"
#include "tests/support/catch.h"

using namespace claimsd;
using namespace claimsd::config;

namespace {

const std::string kKeys =
    "seal_key_files = [\"/k/seal\"]\nfingerprint_key_file = \"/k/fingerprint\"\n";

// The file has [fleet] in its third line.
std::string problems_of(const std::string& fleet) {
  const auto loaded = load_config(
      "[upstream.main]\nurl = \"https://auth.example.com\"\n[fleet]\n" + fleet, "c.toml");
  return loaded ? "none" : loaded.error().message;
}

std::string problems_of_servers(const std::string& servers) {
  return problems_of("name = \"prod\"\n" + kKeys + servers);
}

}  // namespace

TEST_CASE("without [fleet] this host is in no fleet") {
  const auto loaded = load_config("[upstream.main]\nurl = \"https://auth.example.com\"", "c.toml");
  REQUIRE(loaded);
  CHECK_FALSE(loaded->config.fleet.is_on());
}

TEST_CASE("a fleet needs a name, servers and keys, and the errors show examples") {
  CHECK(problems_of("") == "c.toml:3:2: fleet.name: is not set: add name = \"prod\"");
  const std::string all = problems_of("name = \"prod\"");
  for (const char* part :
       {"c.toml:3:2: fleet.urls: is not set: add urls = [\"rediss://redis-1.example.com:6379\"]",
        "fleet.seal_key_files: is not set: create a key with \"openssl rand -out seal.key 32\"",
        "fleet.fingerprint_key_file: is not set: create a key"}) {
    INFO(part);
    CHECK(all.find(part) != std::string::npos);
  }
}

TEST_CASE("servers are given by urls, or by sentinels and the master's name") {
  CHECK(problems_of_servers("urls = [\"rediss://a:6379\", \"redis://127.0.0.1\"]") == "none");
  CHECK(problems_of_servers("sentinels = [\"rediss://a:26379\"]\nmaster = \"mymaster\"") == "none");
  CHECK(problems_of_servers("sentinels = [\"rediss://a\"]")
            .find("fleet.master: is not set: add the master's name, as in master = \"mymaster\"") !=
        std::string::npos);
  CHECK(problems_of_servers("urls = [\"rediss://a\"]\nmaster = \"m\"") ==
        "c.toml:8:10: fleet.master: is for sentinels: remove it");
  CHECK(problems_of_servers(
            "urls = [\"rediss://a\"]\nsentinels = [\"rediss://b\"]\nmaster = \"m\"") ==
        "c.toml:8:13: fleet.sentinels: urls is set as well: remove one of the two");
}

TEST_CASE("a server's URL is rediss, unless the host is loopback, and holds no password") {
  CHECK(problems_of_servers("urls = [\"redis://redis-1:6379\"]") ==
        "c.toml:7:8: fleet.urls: URL 1 must be rediss: redis would expose the password on the "
        "network");
  const std::string leaked =
      problems_of_servers("urls = [\"rediss://a\", \"rediss://user:hunter2@redis-1\"]");
  CHECK(leaked.find("URL 2 contains a user name or password") != std::string::npos);
  CHECK(leaked.find("hunter2") == std::string::npos);
  CHECK(problems_of_servers("urls = [\"rediss://a/1\"]").find("claimsd uses database 0") !=
        std::string::npos);
  CHECK(problems_of_servers("urls = [\"http://a\"]").find("must begin with \"rediss://\"") !=
        std::string::npos);
}

TEST_CASE("at most two seal keys are used, by absolute paths") {
  const std::string rest =
      "name = \"prod\"\nurls = [\"rediss://a\"]\nfingerprint_key_file = \"/f\"\n";
  CHECK(problems_of(rest + "seal_key_files = [\"/a\", \"/b\"]") == "none");
  CHECK(problems_of(rest + "seal_key_files = [\"/a\", \"/b\", \"/c\"]") ==
        "c.toml:7:18: fleet.seal_key_files: has more than two files: keep the new and the previous "
        "key");
  CHECK(problems_of(rest + "seal_key_files = [\"a\"]") ==
        "c.toml:7:18: fleet.seal_key_files: must hold absolute paths");
}

TEST_CASE("a user of Redis needs a password, and a client key its certificate") {
  const std::string servers = "urls = [\"rediss://a\"]\n";
  CHECK(problems_of_servers(servers + "user = \"claimsd\"") ==
        "c.toml:3:2: fleet.password_file: is not set: add the file with the password of user");
  CHECK(problems_of_servers(servers + "client_key = \"/k\"") ==
        "c.toml:8:14: fleet.client_key: client_certificate is not set: set it, or remove this "
        "option");
}
