// Tests of the fetch thread alone, and make_upstream() for the shared tests.
#include "tests/upstream/fetching.h"

namespace claimsd::daemon {

Result<std::unique_ptr<Upstream>> make_upstream(std::vector<UpstreamSettings> upstreams,
                                                FetchThread::Deliver deliver, Loop& loop,
                                                Log& log) {
  return TRY(FetchThread::create(std::move(upstreams), std::move(deliver), loop, log));
}

namespace {

TEST_CASE("`deliver` may destroy the fetch thread") {
  const auto loop = test::new_loop();
  NullLog log;
  int landed = 0;
  std::unique_ptr<FetchThread> thread;
  thread = std::move(*FetchThread::create(
      {upstream_of(fresh_fault_server(), "ok")},
      [&](FlightId, const FetchOutcome&) {
        ++landed;
        thread.reset();
      },
      *loop, log));
  for (FlightId id = 1; id <= 10; ++id) thread->start(id, 0, 0, Secret(kToken));
  test::run_until(*loop, [&] { return landed > 0; });
  test::settle(*loop);
  CHECK(landed == 1);
}

}  // namespace
}  // namespace claimsd::daemon
