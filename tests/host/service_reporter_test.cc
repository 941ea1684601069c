#include "daemon/host/service_reporter.h"

#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <cstring>

#include "tests/support/loop_runner.h"
#include "tests/support/scratch_directory.h"

namespace claimsd::daemon {
namespace {

struct QuietLog final : Log {
  void write(LogLevel, std::string_view event, std::string_view, LogFields) override {
    events += event;
  }
  std::string events;
};

// The service manager's end of NOTIFY_SOCKET.
class Listener {
 public:
  explicit Listener(const std::string& path)
      : fd_(socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path, path.data(), path.size());
    REQUIRE(bind(fd_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
  }
  std::string next() {
    char text[1024];
    const ssize_t got = recv(fd_.get(), text, sizeof text, 0);
    return got < 0 ? "" : std::string(text, static_cast<std::size_t>(got));
  }

 private:
  Fd fd_;
};

struct Reporting {
  explicit Reporting(const char* watchdog_microseconds) {
    setenv("NOTIFY_SOCKET", path.c_str(), 1);
    if (watchdog_microseconds) setenv("WATCHDOG_USEC", watchdog_microseconds, 1);
    manager = ServiceManager::from_environment();
    auto made = ServiceReporter::create(
        *loop, manager, [this] { return line; }, [this] { return trouble; }, log);
    REQUIRE(made);
    reporter = std::move(*made);
  }
  std::string await() {
    std::string got;
    test::run_until(*loop, [&] {
      if (got.empty()) got = listener.next();
      return !got.empty();
    });
    return got;
  }

  testing::ScratchDirectory scratch;
  std::string path = scratch / "notify";
  Listener listener{path};
  QuietLog log;
  ServiceManager manager;
  std::string line = "Healthy";
  std::optional<std::string> trouble;
  std::unique_ptr<Loop> loop = test::new_loop();
  std::unique_ptr<ServiceReporter> reporter;
};

TEST_CASE("the service manager receives readiness, status and watchdog pings") {
  Reporting it("30000");
  it.reporter->ready();
  CHECK(it.listener.next() == "READY=1\nSTATUS=Healthy");
  CHECK(it.await() == "WATCHDOG=1");
  it.line = "Degraded";
  std::string got = it.await();
  if (got == "WATCHDOG=1") got = it.await();  // one ping was already on its way
  CHECK(got == "WATCHDOG=1\nSTATUS=Degraded");
  it.reporter->stopping();
  while ((got = it.listener.next()) == "WATCHDOG=1") continue;
  CHECK(got == "STOPPING=1");
}

TEST_CASE("a fault that only a restart fixes stops the pings and is logged once") {
  Reporting it("30000");
  CHECK(it.await() == "WATCHDOG=1\nSTATUS=Healthy");
  it.trouble = "the fetch thread is stuck";
  test::run_until(*it.loop, [&] { return !it.log.events.empty(); });
  while (!it.listener.next().empty()) continue;
  int turns = 0;
  Timer later(*it.loop, [&] { ++turns; });
  later.start(milliseconds(60));
  test::run_until(*it.loop, [&] { return turns > 0; });
  CHECK(it.listener.next().empty());
  CHECK(it.log.events == "unhealthy");
  it.trouble.reset();
  CHECK(it.await() == "WATCHDOG=1");
}

TEST_CASE("a watchdog for another process is ignored") {
  setenv("WATCHDOG_PID", "1", 1);
  setenv("WATCHDOG_USEC", "30000", 1);
  CHECK_FALSE(ServiceManager::from_environment().watchdog());
  CHECK(getenv("WATCHDOG_USEC") == nullptr);
}

}  // namespace
}  // namespace claimsd::daemon
