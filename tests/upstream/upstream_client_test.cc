// Which Auth API is called from which thread, and make_upstream() for the shared tests.
#include "daemon/upstream/upstream_client.h"

#include <dirent.h>

#include <fstream>

#include "tests/upstream/fetching.h"

namespace claimsd::daemon {

Result<std::unique_ptr<Upstream>> make_upstream(std::vector<UpstreamSettings> upstreams,
                                                FetchThread::Deliver deliver, Loop& loop,
                                                Log& log) {
  return TRY(UpstreamClient::create(std::move(upstreams), std::move(deliver), loop, log));
}

namespace {

// proc(5), task/[tid]/comm
bool has_fetch_thread() {
  const std::unique_ptr<DIR, int (*)(DIR*)> tasks(opendir("/proc/self/task"), closedir);
  REQUIRE(tasks);
  while (const dirent* const task = readdir(tasks.get())) {
    std::ifstream file(std::string("/proc/self/task/") + task->d_name + "/comm");
    if (std::string name; std::getline(file, name) && name == "claimsd-fetch") return true;
  }
  return false;
}

TEST_CASE("an Auth API on loopback is called from the loop") {
  Fetching fetching({upstream_of(fresh_fault_server(), "ok")});
  CHECK(fetching.fetch().status == 200);
  CHECK_FALSE(has_fetch_thread());
}

TEST_CASE(
    "an Auth API over https is called from the fetch thread, because handshakes would block the "
    "loop") {
  test::FaultServer& server = fresh_fault_server();
  Fetching fetching({upstream_of(server, "ok", "https"), upstream_of(server, "ok")});
  CHECK(fetching.fetch(kToken, 0).status == 200);
  CHECK(has_fetch_thread());
  CHECK(fetching.fetch(kToken, 1).status == 200);
}

TEST_CASE("an immediate outcome is not delivered from within start()") {
  UpstreamSettings settings = upstream_of(fresh_fault_server(), "ok");
  settings.url = "http://127.0.0.1:1";
  Fetching fetching({settings});
  const FlightId id = fetching.start();  // checks it
  CHECK(fetching.wait_for(id).failure == proto::Reason::kUpstreamConnect);
}

}  // namespace
}  // namespace claimsd::daemon
