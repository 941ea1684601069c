#include "daemon/config/load.h"

#include "daemon/config/options.h"
#include "tests/support/catch.h"

using namespace claimsd;
using namespace claimsd::config;
using namespace std::chrono_literals;

namespace {

const std::string kUpstream = "[upstream.main]\nurl = \"https://auth.example.com\"\n";

Config config_of(const std::string& text) {
  const auto loaded = load_config(text, "c.toml");
  INFO((loaded ? "" : loaded.error().message));
  REQUIRE(loaded);
  return loaded->config;
}

// The problems of `text` followed by a valid upstream.
std::string problems_of(const std::string& text) {
  const auto loaded = load_config(text + "\n" + kUpstream, "c.toml");
  return loaded ? "none" : loaded.error().message;
}

Setting setting_of(const LoadedConfig& loaded, std::string_view option) {
  for (const auto& setting : loaded.settings) {
    if (setting.option == option) return setting;
  }
  return {};
}

TEST_CASE("a gate has its roles and its upstream") {
  const auto loaded = load_config(
      "[http.gate.doctors]\nroles = [\"doctor\", \"chief\"]\n[http.gate.all]\nupstream = \"main\"\n"
      "[upstream.main]\nurl = \"https://auth.example.com\"\n",
      "c.toml");
  REQUIRE(loaded);
  const auto& gates = loaded->config.http.gates;
  REQUIRE(gates.size() == 2);
  CHECK(gates[0].name == "doctors");
  CHECK(gates[0].roles == std::vector<std::string>{"doctor", "chief"});
  CHECK(gates[1].roles.empty());
  CHECK(gates[1].upstream == "main");
}

TEST_CASE("a value nested deeper than any option is an error, never an empty list") {
  const std::string upstream = "[upstream.main]\nurl = \"https://auth.example.com\"\n";
  for (const std::string& text :
       {std::string("[http.gate.doctors]\nroles = [[\"doctor\"]]\n"),
        std::string("[http.gate.doctors]\nroles = [[[[\"doctor\"]]]]\n"),
        std::string("[http.gate.doctors.roles.x]\n"), std::string("[http.gate.a.b.c.d.e.f]\n")}) {
    CAPTURE(text);
    CHECK_FALSE(load_config(text + upstream, "c.toml"));
  }
}

TEST_CASE("a gate needs an upstream that exists, and a name that is not built in") {
  const std::string upstream = "[upstream.main]\nurl = \"https://auth.example.com\"\n";
  CHECK(load_config(upstream + "[http.gate.a]\nupstream = \"other\"\n", "c.toml")
            .error()
            .message.find("http.gate.a: there is no upstream.other") != std::string::npos);
  CHECK(load_config(upstream + "[http.gate.authenticated]\n", "c.toml")
            .error()
            .message.find("this gate is built in") != std::string::npos);
  CHECK(load_config(upstream + "[http]\nrealm = \"a\\\"b\"\n", "c.toml")
            .error()
            .message.find("http.realm") != std::string::npos);
  CHECK(load_config(upstream + "[http]\nclient_address_header = \"X-Forwarded-For\"\n", "c.toml")
            .error()
            .message.find("set trusted_uids as well") != std::string::npos);
}

}  // namespace

TEST_CASE("one URL is a complete configuration") {
  const auto config = config_of(kUpstream);
  CHECK(config.daemon.socket == "/run/claimsd/claims.sock");
  CHECK(config.daemon.socket_mode == 0660);
  CHECK(config.daemon.socket_group.empty());
  CHECK(config.daemon.admin_socket == "/run/claimsd-admin/admin.sock");
  CHECK(config.daemon.admin_socket_mode == 0660);
  CHECK(config.daemon.allowed_uids.empty());
  CHECK(config.daemon.allowed_gids.empty());
  CHECK(config.daemon.max_connections == 8192);
  CHECK(config.daemon.max_connections_per_uid == 4096);
  CHECK(config.daemon.write_queue_bytes == 1 << 20);
  CHECK(config.daemon.slow_reader_timeout == 5s);
  CHECK(config.daemon.handshake_timeout == 2s);
  CHECK(config.daemon.stop_timeout == 5s);
  CHECK(config.daemon.shared_memory);
  CHECK(config.cache.directory == "/run/claimsd-cache");
  CHECK(config.cache.key_file == "/var/lib/claimsd/host.key");
  CHECK(config.cache.lease == 5s);
  CHECK(config.cache.map_slots == 16'384);
  CHECK(config.cache.max_entries == 100'000);
  CHECK(config.cache.max_bytes == 67'108'864);
  CHECK(config.cache.max_ttl == 60s);
  CHECK(config.cache.negative_ttl == 5s);
  CHECK(config.cache.negative_entries == 10'000);
  CHECK(config.cache.clock_skew == 30s);
  CHECK(config.cache.ttl_jitter_percent == 10);
  CHECK(config.limits.max_in_flight == 64);
  CHECK(config.limits.max_pending == 4096);
  CHECK(config.limits.max_waiters == 65536);
  CHECK(config.limits.max_timeout == 30s);
  CHECK(config.limits.max_waiters_per_uid == 16384);
  CHECK(config.limits.failure_threshold == 3);
  CHECK(config.limits.max_backoff == 30s);
  CHECK(config.limits.retry_percent == 20);
  CHECK(config.limits.misses_per_uid == 1000);
  CHECK(config.limits.miss_burst_per_uid == 10'000);
  CHECK(config.limits.misses_per_client == 50);
  CHECK(config.limits.miss_burst_per_client == 500);
  CHECK(config.limits.reports_per_uid == 100);
  CHECK(config.limits.report_burst_per_uid == 1000);
  CHECK(config.cache.stale_if_error == 0s);
  CHECK(config.cache.refresh_ahead_percent == 10);
  CHECK(config.revocations.directory == "/var/lib/claimsd/revocations");
  CHECK(config.revocations.max_entries == 100'000);
  CHECK(config.revocations.keep == 8760h);
  CHECK(config.log.level == LogLevel::kInfo);
  CHECK(config.log.format == LogFormat::kAuto);
  REQUIRE(config.upstreams.size() == 1);
  const auto& upstream = config.upstreams[0];
  CHECK(upstream.name == "main");
  CHECK(upstream.urls == std::vector<std::string>{"https://auth.example.com"});
  CHECK(upstream.path == "/api/me/");
  CHECK(upstream.timeout == 3s);
  CHECK(upstream.connect_timeout == 1s);
  CHECK(upstream.ca_file.empty());
  CHECK(upstream.id_claim == ClaimPath::member("id"));
  CHECK(upstream.email_claim == ClaimPath::member("email"));
  CHECK(upstream.role_claims ==
        std::vector<RoleClaim>{{ClaimPath::member("role"), RoleForm::kList}});
  CHECK(upstream.require.empty());
  CHECK(upstream.require_token.empty());
  CHECK(upstream.max_claims_bytes == 64 * 1024);
  CHECK(upstream.max_token_bytes == 16 * 1024);
  CHECK(upstream.rejection_statuses == std::vector<std::uint32_t>{401});
  CHECK(upstream.proxy.empty());
  CHECK_FALSE(upstream.http2);
  CHECK(upstream.connections == 64);
  CHECK(config.default_upstream() == &upstream);
}

TEST_CASE("each value of the file is stored in its member") {
  const auto config = config_of(R"(
[daemon]
socket = "/tmp/a"
socket_mode = "0600"
socket_group = "web"
admin_socket = "/tmp/b"
allowed_uids = [0, 33]
allowed_gids = [4294967294]
write_queue_bytes = "2MiB"
shared_memory = false
[cache]
max_ttl = "2s"
lease = "1500ms"
map_slots = 1024
negative_ttl = "0s"
max_bytes = 1048576
[limits]
max_timeout = "500ms"
[log]
level = "error"
format = "journal"
[upstream.one]
urls = ["https://a.example.com/", "HTTPS://B.example.com"]
rejection_statuses = [403]
proxy = "http://proxy.example.com:3128"
default = true
http2 = true
[upstream.two]
url = "http://127.0.0.1:8000"
client_certificate = "/etc/c.pem"
client_key = "/etc/k.pem"
)");
  CHECK(config.daemon.socket == "/tmp/a");
  CHECK(config.daemon.socket_mode == 0600);
  CHECK(config.daemon.socket_group == "web");
  CHECK(config.daemon.admin_socket == "/tmp/b");
  CHECK(config.daemon.allowed_uids == std::vector<std::uint32_t>{0, 33});
  CHECK(config.daemon.allowed_gids == std::vector<std::uint32_t>{4294967294});
  CHECK(config.daemon.write_queue_bytes == 2 << 20);
  CHECK_FALSE(config.daemon.shared_memory);
  CHECK(config.cache.max_ttl == 2s);
  CHECK(config.cache.lease == 1500ms);
  CHECK(config.cache.map_slots == 1024);
  CHECK(config.cache.negative_ttl == 0s);
  CHECK(config.cache.max_bytes == 1048576);
  CHECK(config.limits.max_timeout == 500ms);
  CHECK(config.log.level == LogLevel::kError);
  CHECK(config.log.format == LogFormat::kJournal);
  REQUIRE(config.upstreams.size() == 2);
  CHECK(config.upstreams[0].urls ==
        std::vector<std::string>{"https://a.example.com", "https://b.example.com"});
  CHECK(config.upstreams[0].rejection_statuses == std::vector<std::uint32_t>{401, 403});
  CHECK(config.upstreams[0].proxy == "http://proxy.example.com:3128");
  CHECK(config.upstreams[0].http2);
  CHECK(config.upstreams[1].client_key == "/etc/k.pem");
  CHECK(config.default_upstream() == &config.upstreams[0]);
}

TEST_CASE("every option is listed with its value and origin") {
  const auto loaded = load_config("[daemon]\nmax_connections = 7\n" + kUpstream, "c.toml");
  REQUIRE(loaded);
  CHECK(loaded->settings.size() == option_rows().size() + upstream_rows().size());
  const auto set = setting_of(*loaded, "daemon.max_connections");
  CHECK(set.value == "7");
  CHECK(set.origin == "c.toml:2");
  CHECK(set.reloadable);
  const auto fallback = setting_of(*loaded, "daemon.socket");
  CHECK(fallback.value == R"("/run/claimsd/claims.sock")");
  CHECK(fallback.origin == "default");
  CHECK_FALSE(fallback.reloadable);
  CHECK(setting_of(*loaded, "upstream.main.url").value == R"("https://auth.example.com")");
  CHECK(setting_of(*loaded, "upstream.main.proxy").value == R"("")");
}

TEST_CASE("an out-of-range value is rejected with its place and the allowed range") {
  CHECK(problems_of("[daemon]\nmax_connections = 0") ==
        "c.toml:2:19: daemon.max_connections: found 0, expected 1 to 65536");
  CHECK(problems_of("[cache]\nmax_ttl = \"6m\"") ==
        "c.toml:2:11: cache.max_ttl: found \"6m\", expected \"1s\" to \"5m\", with a unit (ms, s, "
        "m or h)");
  CHECK(problems_of("[cache]\nmax_bytes = 1024") ==
        "c.toml:2:13: cache.max_bytes: found 1024, expected 1MiB to 64GiB, in bytes or as "
        "\"64KiB\", \"64MiB\"");
  CHECK(problems_of("[daemon]\nsocket_mode = \"1777\"") ==
        "c.toml:2:15: daemon.socket_mode: found \"1777\", expected \"0000\" to \"0777\", octal");
  CHECK(problems_of("[daemon]\nsocket = \"/" + std::string(107, 's') + "\"") ==
        "c.toml:2:10: daemon.socket: found \"/" + std::string(79, 's') +
            "…\", expected an absolute path of at most 107 bytes");
  CHECK(problems_of("[daemon]\nallowed_uids = [0, 4294967295]") ==
        "c.toml:2:16: daemon.allowed_uids: found 4294967295, expected a list of integers, 0 to "
        "4294967294");
}

TEST_CASE("a duration without a unit is rejected, and the message shows the form") {
  CHECK(problems_of("[daemon]\nstop_timeout = 5") ==
        "c.toml:2:16: daemon.stop_timeout: found 5, expected \"0s\" to \"1m\", with a unit (ms, "
        "s, "
        "m or h)");
}

TEST_CASE("a value of another type is rejected") {
  CHECK(problems_of("[daemon]\nshared_memory = \"off\"") ==
        "c.toml:2:17: daemon.shared_memory: found \"off\", expected true or false");
  CHECK(problems_of("[daemon]\nsocket = 5") ==
        "c.toml:2:10: daemon.socket: found 5, expected an absolute path of at most 107 bytes");
  CHECK(problems_of("[daemon]\nmax_connections = [1]") ==
        "c.toml:2:19: daemon.max_connections: found a list, expected 1 to 65536");
  CHECK(problems_of("[log]\nlevel = \"loud\"") ==
        "c.toml:2:9: log.level: found \"loud\", expected \"debug\", \"info\", \"warning\" or "
        "\"error\"");
  CHECK(problems_of("[daemon]\nsocket = \"relative\"") ==
        "c.toml:2:10: daemon.socket: found \"relative\", expected an absolute path of at most 107 "
        "bytes");
  CHECK(problems_of("[daemon]\nsocket_group = \"a\\nb\"") ==
        "c.toml:2:16: daemon.socket_group: found \"a\\nb\", expected a string of 0 to 64 bytes "
        "without control characters");
  CHECK(problems_of("daemon = 1") ==
        "c.toml:1:1: daemon: must be a table: write [daemon] on a line of its own");
}

TEST_CASE("an unknown key is rejected with a suggestion") {
  CHECK(problems_of("[daemon]\nsokcet = \"/a\"") ==
        "c.toml:2:1: daemon.sokcet: unknown option; did you mean socket?");
  CHECK(problems_of("[log]\ncolour = true") ==
        "c.toml:2:1: log.colour: unknown option; the options of [log] are level, format");
  CHECK(problems_of("[deamon]\nsocket = \"/a\"") ==
        "c.toml:1:2: deamon: unknown table; did you mean daemon?");
  CHECK(problems_of("[metrics]") ==
        "c.toml:1:2: metrics: unknown table; the tables are upstream, daemon, cache, limits, "
        "revocations, audit, log, http, fleet");
  CHECK(problems_of("socket = \"/a\"") ==
        "c.toml:1:1: socket: unknown table; did you mean daemon.socket?");
  CHECK(load_config(kUpstream + "tiemout = \"1s\"", "c.toml").error().message ==
        "c.toml:3:1: upstream.main.tiemout: unknown option; did you mean timeout?");
}

TEST_CASE("all problems are reported together, in the order of the file") {
  CHECK(problems_of("[log]\nlevel = 1\n[daemon]\nmax_connections = 0\nx = 1\nstop_timeout = 1") ==
        "c.toml:2:9: log.level: found 1, expected \"debug\", \"info\", \"warning\" or \"error\"\n"
        "c.toml:4:19: daemon.max_connections: found 0, expected 1 to 65536\n"
        "c.toml:5:1: daemon.x: unknown option; the options of [daemon] are socket, socket_mode, "
        "socket_group, "
        "admin_socket, admin_socket_mode, admin_socket_group, metrics_listen, allowed_uids, "
        "allowed_gids, "
        "max_connections, max_connections_per_uid, connects_per_uid, write_queue_bytes, "
        "slow_reader_timeout, "
        "handshake_timeout, stop_timeout, shared_memory, system_call_filter\n"
        "c.toml:6:16: daemon.stop_timeout: found 1, expected \"0s\" to \"1m\", with a unit (ms, "
        "s, "
        "m or h)");
}

TEST_CASE("invalid TOML is rejected with its place") {
  const auto broken = load_config("[daemon]\nsocket = /run\n", "c.toml");
  REQUIRE_FALSE(broken);
  CHECK(broken.error().message.starts_with("c.toml:2:10: invalid TOML: "));
  const auto twice = load_config("[log]\nlevel = \"info\"\nlevel = \"debug\"\n", "c.toml");
  REQUIRE_FALSE(twice);
  CHECK(twice.error().message.starts_with("c.toml:3:"));
}

TEST_CASE("a password in the file appears in no message and no listing") {
  const std::string password = "hunter2";
  const std::string with_password = "https://user:hunter2@example.com";
  for (const auto& text : {
           "[upstream.a]\nurl = \"" + with_password + "\"",
           "[upstream.a]\nurls = [\"" + with_password + "\"]",
           "[upstream.a]\nurl = \"https://a\"\nproxy = \"" + with_password + "\"",
           "[upstream.a]\nurls = \"" + with_password + "\"",
           "[upstream.a]\nurl = [\"" + with_password + "\"]",
           std::string("[upstream.a]\nurl = \"ftp://hunter2\""),
       }) {
    const auto loaded = load_config(text, "c.toml");
    INFO(text);
    REQUIRE_FALSE(loaded);
    CHECK(loaded.error().message.find(password) == std::string::npos);
  }
  // A URL that is accepted holds no password, so it is listed.
  const auto loaded = load_config("[upstream.a]\nurl = \"https://a/b\"", "c.toml");
  REQUIRE(loaded);
  const auto url = std::find_if(loaded->settings.begin(), loaded->settings.end(),
                                [](const Setting& it) { return it.option == "upstream.a.url"; });
  REQUIRE(url != loaded->settings.end());
  CHECK(url->value == "\"https://a/b\"");
}

TEST_CASE("hostile TOML is rejected without a crash") {
  const auto refused = [](const std::string& text) { return !load_config(text, "c.toml"); };
  std::string dotted = "a";
  for (int i = 0; i < 4000; ++i) dotted += ".a";
  CHECK(refused("[" + dotted + "]"));
  CHECK(refused(dotted + " = 1"));
  for (int i = 0; i < 100'000; ++i) dotted += ".a";
  CHECK(load_config("[" + dotted + "]", "c.toml").error().message ==
        "c.toml:1:1: the file has 104000 dots, the maximum is 4096");
  CHECK(refused("x = " + std::string(100'000, '[')));
  CHECK(refused("x = " + std::string(100'000, '[') + std::string(100'000, ']')));
  std::string tables;
  for (int i = 0; i < 60'000; ++i) tables += "{a=";
  CHECK(refused("x = " + tables));
  CHECK(load_config(std::string(1'000'000, '#'), "c.toml").error().message ==
        "c.toml:1:1: the file has 1000000 bytes, the maximum is 262144");
  CHECK(refused(std::string(200'000, '\0')));
  CHECK(refused("[upstream.\"a\\u0000b\"]\nurl = \"https://a\""));
  CHECK(refused("\xff\xfe"));
  CHECK(refused("x = \"" + std::string(200'000, 'a')));
}

TEST_CASE("a key cannot forge a line of output") {
  const auto loaded =
      load_config("\"a\\nc.toml:1:1: all is well\\u001b[2J\" = 1\n" + kUpstream, "c.toml");
  REQUIRE_FALSE(loaded);
  CHECK(loaded.error().message.find('\n') == std::string::npos);
  CHECK(loaded.error().message.find('\x1b') == std::string::npos);
}

TEST_CASE("a long list of problems is truncated and counted") {
  std::string text = "[daemon]\n";
  for (int i = 0; i < 1000; ++i) text += "zzzzzzzzzzzz" + std::to_string(i) + " = 1\n";
  const auto loaded = load_config(text + kUpstream, "c.toml");
  REQUIRE_FALSE(loaded);
  CHECK(loaded.error().message.ends_with("\nc.toml: and 950 more"));
}
