// Certificates that change while a Fetcher runs, against a server that checks them.
#include <filesystem>
#include <fstream>

#include "daemon/upstream/curl_memory.h"
#include "daemon/upstream/fetcher.h"
#include "tests/support/scratch_directory.h"
#include "tests/upstream/fetching.h"

namespace claimsd::upstream {
namespace {

namespace fs = std::filesystem;
using proto::Reason;

// A Fetcher for a server that requires client certificates, with the test's own copies of the
// files.
class Rotating {
 public:
  explicit Rotating(std::string_view mode = "ok") : mode_(mode) {
    server_.post("/_rotate");
    UpstreamSettings settings = upstream_of(server_, mode, "https_rotating");
    settings.ca_file = place("ca.pem");
    settings.client_certificate = place("client.pem");
    settings.client_key = place("client.key");
    put("");
    std::vector<Target> targets;
    targets.push_back(check_target(settings).value());
    fetcher_ = Fetcher::create(
                   *loop_, std::move(targets), log_,
                   [this](claims::FlightId id, claims::FetchOutcome outcome) {
                     completed_[id] = outcome.failure;
                   },
                   [this](const CredentialReport& report) { reports.push_back(report); })
                   .value();
  }

  std::string place(const std::string& name) const { return fs::path(scratch_.path()) / name; }
  // Copies the files of the CA in that directory: "" or "next/".
  void put(const std::string& folder) const {
    for (const char* const name : {"ca.pem", "client.pem", "client.key"})
      fs::copy_file(server_.tls_file(folder + name), place(name),
                    fs::copy_options::overwrite_existing);
  }
  void look_twice() {
    fetcher_->look();
    fetcher_->look();
  }
  claims::FlightId start() {
    fetcher_->start({++last_, 0, loop::Loop::hrtime()}, kToken);
    return last_;
  }
  bool has_completed(claims::FlightId id) const { return completed_.contains(id); }
  Reason wait_for(claims::FlightId id) {
    test::run_until(*loop_, [&] { return completed_.contains(id); });
    return completed_[id];
  }
  Reason fetch() { return wait_for(start()); }
  int connections() const { return server_.connections(mode_); }
  void wait_for_server(int count) {
    test::run_until(*loop_, [&] { return server_.requests(mode_) >= count; });
  }
  const test::FaultServer& server() const { return server_; }

  std::vector<CredentialReport> reports;

 private:
  test::FaultServer& server_ = fresh_fault_server();
  std::string mode_;
  testing::ScratchDirectory scratch_;
  std::unique_ptr<CurlLibrary> library_ = CurlLibrary::create().value();
  std::unique_ptr<loop::Loop> loop_ = test::new_loop();
  NullLog log_;
  std::map<claims::FlightId, Reason> completed_;
  claims::FlightId last_ = 0;
  std::unique_ptr<Fetcher> fetcher_;
};

TEST_CASE("the credentials found at start are reported") {
  const Rotating rotating;
  REQUIRE(rotating.reports.size() == 1);
  CHECK(rotating.reports[0].is_first);
  CHECK(rotating.reports[0].error.empty());
  CHECK(rotating.reports[0].certificate_end);
}

TEST_CASE("new certificates apply to new connections, and old connections are not reused") {
  Rotating rotating;
  REQUIRE(rotating.fetch() == Reason::kOk);
  REQUIRE(rotating.fetch() == Reason::kOk);
  REQUIRE(rotating.connections() == 1);
  SECTION("unchanged files keep their connections") {
    rotating.look_twice();
    CHECK(rotating.fetch() == Reason::kOk);
    CHECK(rotating.connections() == 1);
  }
  SECTION("a server still on the old CA is no longer trusted") {
    rotating.put("next/");
    rotating.look_twice();
    CHECK(rotating.fetch() == Reason::kUpstreamTls);
    CHECK(rotating.server().requests("ok") == 2);
    rotating.put("");
    rotating.look_twice();
    CHECK(rotating.fetch() == Reason::kOk);
    CHECK(rotating.connections() == 2);
  }
  SECTION("a server on the new CA is reached over a new connection") {
    rotating.server().post("/_rotate?server=next&clients=next");
    rotating.put("next/");
    rotating.look_twice();
    CHECK(rotating.fetch() == Reason::kOk);
    CHECK(rotating.connections() == 2);
    CHECK(rotating.reports.size() == 2);
  }
}

TEST_CASE("a request in flight finishes with the credentials it started with") {
  Rotating rotating("gate");
  const claims::FlightId held = rotating.start();
  rotating.wait_for_server(1);
  rotating.put("next/");
  rotating.look_twice();
  rotating.server().post("/_rotate?server=next&clients=next");
  const claims::FlightId fresh = rotating.start();
  rotating.wait_for_server(2);
  CHECK_FALSE(rotating.has_completed(held));
  rotating.server().post("/_open");
  CHECK(rotating.wait_for(held) == Reason::kOk);
  CHECK(rotating.wait_for(fresh) == Reason::kOk);
  // The old connection closes with its last request.
  rotating.look_twice();
  CHECK(rotating.fetch() == Reason::kOk);
  CHECK(rotating.connections() == 2);
}

TEST_CASE("broken files fail no request") {
  Rotating rotating;
  std::ofstream(rotating.place("ca.pem"), std::ios::trunc) << "half a certi";
  rotating.look_twice();
  CHECK(rotating.fetch() == Reason::kOk);
  REQUIRE(rotating.reports.size() == 2);
  CHECK_FALSE(rotating.reports[1].error.empty());
}

}  // namespace
}  // namespace claimsd::upstream
