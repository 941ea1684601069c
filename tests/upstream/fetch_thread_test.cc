// Completions arrive on the loop thread, never from within start().
#include "daemon/upstream/fetch_thread.h"

#include "tests/support/catch.h"
#include "tests/upstream/fetching.h"

namespace claimsd::upstream {
namespace {

TEST_CASE("a connection that is refused immediately is still not delivered from within start") {
  UpstreamSettings settings = upstream_of(fresh_fault_server(), "ok");
  settings.url = "http://127.0.0.1:1";
  Fetching fetching({settings});
  const claims::FlightId id = fetching.start();  // checks it
  CHECK(fetching.wait_for(id).failure == proto::Reason::kUpstreamConnect);
}

TEST_CASE("the deliverer may destroy the fetch thread") {
  const auto loop = test::new_loop();
  NullLog log;
  int completed = 0;
  std::unique_ptr<FetchThread> thread;
  thread = std::move(*FetchThread::create(
      {upstream_of(fresh_fault_server(), "ok")},
      [&](claims::FlightId, const claims::FetchOutcome&) {
        ++completed;
        thread.reset();
      },
      *loop, log));
  for (claims::FlightId id = 1; id <= 10; ++id)
    thread->start(id, 0, 0, Secret(kToken), claims::Connect::kReuse);
  test::run_until(*loop, [&] { return completed > 0; });
  test::settle(*loop);
  CHECK(completed == 1);
}

}  // namespace
}  // namespace claimsd::upstream
