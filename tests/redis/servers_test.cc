// Against real redis-server and redis-sentinel processes.
#include "daemon/redis/servers.h"

#include <cstdlib>
#include <fstream>

#include "tests/support/catch.h"
#include "tests/support/redis_server.h"

namespace claimsd::redis {
namespace {

using test::RedisServer;

Endpoint endpoint_of(const RedisServer& server) {
  return {"127.0.0.1", server.port(), false};
}

struct Client {
  explicit Client(Settings settings) : servers(std::move(settings), wait) {}
  BootTime in(Duration time) const { return clock.now().boot + time; }
  Value call(std::initializer_list<std::string_view> arguments) {
    Connection connection = servers.connect().value();
    return connection.call(arguments, in(seconds(5))).value();
  }

  SystemClock clock;
  Wait wait{clock};
  Servers servers;
};

std::string error_of(Settings settings) {
  Client client(std::move(settings));
  const auto connection = client.servers.connect();
  return connection ? "" : connection.error().message;
}

std::string replica_of(const RedisServer& master) {
  return "replicaof 127.0.0.1 " + std::to_string(master.port());
}

TEST_CASE("the first server that is a master is used") {
  const RedisServer master;
  const RedisServer replica({replica_of(master)});
  const Endpoint nothing{"127.0.0.1", test::free_port(), false};
  Client client({.servers = {nothing, endpoint_of(replica), endpoint_of(master)}});
  const auto connection = client.servers.connect();
  REQUIRE(connection);
  CHECK(connection->endpoint() == endpoint_of(master));
}

TEST_CASE("without a master, the error names the last server and why") {
  const RedisServer master;
  const RedisServer replica({replica_of(master)});
  CHECK(error_of({.servers = {endpoint_of(replica)}}) ==
        endpoint_of(replica).text() + ": this server is not a master");
}

TEST_CASE("user and password are used, and a wrong password is reported") {
  const RedisServer server({"user claimsd on >right +role +ping", "user default off"});
  std::ofstream(server.file("right")) << "right\n";
  std::ofstream(server.file("wrong")) << "wrong\n";
  Settings settings{
      .servers = {endpoint_of(server)}, .user = "claimsd", .password_file = server.file("right")};
  CHECK(Client(settings).call({"PING"}).is_status("PONG"));
  settings.password_file = server.file("wrong");
  CHECK(error_of(settings).find("AUTH as claimsd: WRONGPASS") != std::string::npos);
}

TEST_CASE("a Sentinel names the master") {
  const RedisServer master;
  const RedisServer sentinel(
      {"sentinel monitor mymaster 127.0.0.1 " + std::to_string(master.port()) + " 1"},
      "redis-sentinel");
  const Endpoint nothing{"127.0.0.1", test::free_port(), false};
  Settings settings{.sentinels = {nothing, endpoint_of(sentinel)}, .master = "mymaster"};
  CHECK(Client(settings).call({"PING"}).is_status("PONG"));
  settings.master = "other";
  settings.sentinels = {endpoint_of(sentinel)};
  CHECK(error_of(settings).find("this Sentinel knows no master other") != std::string::npos);
}

TEST_CASE("a frozen server costs the time to connect") {
  RedisServer server;
  server.freeze();
  Client client({.servers = {endpoint_of(server)}, .connect_timeout = milliseconds(200)});
  const BootTime before = client.clock.now().boot;
  CHECK_FALSE(client.servers.connect());
  CHECK(client.clock.now().boot - before < seconds(5));
  server.thaw();
  CHECK(client.servers.connect());
}

// A server with a certificate, made by openssl(1).
struct TlsServer {
  explicit TlsServer(const std::string& subject_alternative, int days = 2) {
    const std::string d = directory.path() + "/";
    const std::string key = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes ";
    run(key + "-days 2 -subj /CN=ca -keyout " + d + "ca.key -out " + d + "ca.pem");
    run(key + "-days 2 -subj /CN=client -addext basicConstraints=CA:FALSE -CA " + d +
        "ca.pem -CAkey " + d + "ca.key -keyout " + d + "client.key -out " + d + "client.pem");
    run("openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=redis -addext "
        "subjectAltName=" +
        subject_alternative + " -keyout " + d + "redis.key -out " + d + "redis.csr");
    run("openssl x509 -req -in " + d + "redis.csr -CA " + d + "ca.pem -CAkey " + d +
        "ca.key -copy_extensions copy -days " + std::to_string(days) + " -out " + d + "redis.pem");
    server.emplace(std::vector<std::string>{
        "tls-port " + std::to_string(port), "tls-cert-file " + d + "redis.pem",
        "tls-key-file " + d + "redis.key", "tls-ca-cert-file " + d + "ca.pem"});
  }
  static void run(const std::string& command) {
    REQUIRE(std::system((command + " >/dev/null 2>&1").c_str()) == 0);
  }
  Settings settings() const {
    return {.servers = {{"127.0.0.1", port, true}},
            .ca_file = directory.path() + "/ca.pem",
            .client_certificate = directory.path() + "/client.pem",
            .client_key = directory.path() + "/client.key"};
  }

  testing::ScratchDirectory directory;
  std::uint16_t port = test::free_port();
  std::optional<RedisServer> server;
};

TEST_CASE("a server is reached over TLS with a client certificate") {
  const TlsServer server("IP:127.0.0.1,DNS:localhost");
  Settings settings = server.settings();
  Client client(settings);
  Connection connection = client.servers.connect().value();
  const std::string large(100'000, 'x');
  CHECK(connection.call({"SET", "k", large}, client.in(seconds(5))).value().is_status("OK"));
  CHECK(connection.call({"GET", "k"}, client.in(seconds(5))).value().text == large);
  settings.servers[0].host = "localhost";
  CHECK(error_of(settings).empty());
  settings.client_certificate.clear();
  settings.client_key.clear();
  CHECK_FALSE(error_of(settings).empty());
}

TEST_CASE("a server whose certificate does not fit is not used") {
  const TlsServer server("DNS:other.example");
  CHECK(error_of(server.settings()).find("IP address mismatch") != std::string::npos);
  Settings settings = server.settings();
  settings.ca_file.clear();
  CHECK(error_of(settings).find("certificate") != std::string::npos);
}

TEST_CASE("a server whose certificate has expired is not used, and the error says so") {
  const TlsServer server("IP:127.0.0.1", 0);  // as it was made
  CHECK(error_of(server.settings()).find("certificate has expired") != std::string::npos);
}

}  // namespace
}  // namespace claimsd::redis
