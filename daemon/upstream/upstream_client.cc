#include "daemon/upstream/upstream_client.h"

#include <optional>

#include "daemon/loop/async.h"
#include "daemon/loop/before_wait.h"
#include "daemon/upstream/curl_memory.h"
#include "daemon/upstream/fetcher.h"
#include "daemon/upstream/lanes.h"
#include "daemon/upstream/target.h"

namespace claimsd::daemon {
namespace {

struct Landing {
  FlightId id = 0;
  FetchOutcome outcome;
};

}  // namespace

struct UpstreamClient::Parts {
  // Members are destroyed in reverse order.
  std::unique_ptr<CurlLibrary> library;
  Deliver deliver;
  std::optional<Lanes> lanes;
  std::vector<std::size_t> near;      // by lane: its index in `fetcher`; kNone: the thread calls it
  bool starting = false;              // start() is on the stack
  std::vector<Landing> landings;      // completed within start(); delivered before the loop waits
  std::vector<Landing> delivered;     // those of this iteration; empty in between
  std::optional<Async> another_turn;  // keeps the loop from waiting
  std::optional<BeforeWait> before_wait;
  std::unique_ptr<Fetcher> fetcher;     // for loopback http
  std::unique_ptr<FetchThread> thread;  // for the others; none: there are none

  void land(FlightId id, FetchOutcome&& outcome) {
    if (starting) return void(landings.push_back({id, std::move(outcome)}));
    deliver(id, std::move(outcome));
  }
  // A server on this host often responds before send(2) returns. Once per iteration: a flight that
  // this starts may complete immediately as well.
  void deliver_landings() {
    delivered.swap(landings);
    for (Landing& landing : delivered) deliver(landing.id, std::move(landing.outcome));
    delivered.clear();
    if (!landings.empty()) another_turn->notify();
  }
};

UpstreamClient::UpstreamClient(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}

UpstreamClient::~UpstreamClient() = default;

Result<std::unique_ptr<UpstreamClient>> UpstreamClient::create(
    std::vector<UpstreamSettings> upstreams, Deliver deliver, Loop& loop, Log& log,
    FetchThread::Reported reported) {
  auto parts = std::make_unique<Parts>();
  Parts& in = *parts;
  in.library = TRY(CurlLibrary::create());
  in.deliver = std::move(deliver);
  in.lanes.emplace(upstreams);
  std::vector<Target> near;
  for (const UpstreamSettings& settings : upstreams) {
    Target target = TRY(check_target(settings));
    in.near.push_back(target.clear ? near.size() : Lanes::kNone);
    if (target.clear) near.push_back(std::move(target));
  }
  const bool all_near = near.size() == upstreams.size();
  in.another_turn = TRY(Async::create(loop, [] {}));
  in.before_wait.emplace(loop, [&in] { in.deliver_landings(); });
  in.fetcher =
      TRY(Fetcher::create(loop, std::move(near), log, [&in](FlightId id, FetchOutcome&& outcome) {
        in.land(id, std::move(outcome));
      }));
  if (!all_near) {
    in.thread =
        TRY(FetchThread::create(std::move(upstreams), in.deliver, loop, log, std::move(reported)));
  }
  return std::unique_ptr<UpstreamClient>(new UpstreamClient(std::move(parts)));
}

Duration UpstreamClient::silent_for() const {
  return parts_->thread ? parts_->thread->silent_for() : Duration{};
}

void UpstreamClient::start(FlightId id, UpstreamId upstream, std::size_t url, const Secret& token) {
  Parts& in = *parts_;
  const std::size_t lane = in.lanes->of(upstream, url);
  const bool is_there = lane != Lanes::kNone;
  if (is_there && in.near[lane] == Lanes::kNone) return in.thread->start(id, upstream, url, token);
  in.starting = true;
  // For an unknown lane the fetcher reports the error.
  in.fetcher->start({id, is_there ? in.near[lane] : lane, Loop::hrtime()}, token.view());
  in.starting = false;
}

}  // namespace claimsd::daemon
