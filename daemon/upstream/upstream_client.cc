#include "daemon/upstream/upstream_client.h"

#include <algorithm>
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
  // In this order: what goes first stands last.
  std::unique_ptr<CurlLibrary> library;
  Deliver deliver;
  std::optional<Lanes> lanes;
  std::vector<bool> near;             // by lane: asked from the loop
  bool starting = false;              // start() is on the stack
  std::vector<Landing> landings;      // of what landed within start(), until the loop waits
  std::optional<Async> another_turn;  // keeps it from waiting
  std::optional<BeforeWait> before_wait;
  std::unique_ptr<Fetcher> fetcher;     // for the near ones
  std::unique_ptr<FetchThread> thread;  // for the others; none: there are none

  void land(FlightId id, FetchOutcome outcome) {
    if (starting) return void(landings.push_back({id, std::move(outcome)}));
    deliver(id, std::move(outcome));
  }
  // A server on this host is often quicker than we are in coming back from send(2). Once a turn:
  // what this starts may land at once as well.
  void deliver_landings() {
    std::vector<Landing> batch;
    batch.swap(landings);
    for (Landing& landing : batch) deliver(landing.id, std::move(landing.outcome));
    if (!landings.empty()) another_turn->notify();
  }
};

UpstreamClient::UpstreamClient(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}

UpstreamClient::~UpstreamClient() = default;

Result<std::unique_ptr<UpstreamClient>> UpstreamClient::create(
    std::vector<UpstreamSettings> upstreams, Deliver deliver, Loop& loop, Log& log) {
  auto parts = std::make_unique<Parts>();
  Parts& in = *parts;
  in.library = TRY(CurlLibrary::create());
  in.deliver = std::move(deliver);
  in.lanes.emplace(upstreams);
  std::vector<Target> targets;
  for (const UpstreamSettings& settings : upstreams) {
    targets.push_back(TRY(check_target(settings)));
    in.near.push_back(targets.back().clear);
  }
  in.another_turn = TRY(Async::create(loop, [] {}));
  in.before_wait.emplace(loop, [&in] { in.deliver_landings(); });
  in.fetcher =
      TRY(Fetcher::create(loop, std::move(targets), log, [&in](FlightId id, FetchOutcome outcome) {
        in.land(id, std::move(outcome));
      }));
  const bool all_near = std::all_of(in.near.begin(), in.near.end(), [](bool near) { return near; });
  if (!all_near) in.thread = TRY(FetchThread::create(std::move(upstreams), in.deliver, loop, log));
  return std::unique_ptr<UpstreamClient>(new UpstreamClient(std::move(parts)));
}

Duration UpstreamClient::silent_for() const {
  return parts_->thread ? parts_->thread->silent_for() : Duration{};
}

void UpstreamClient::start(FlightId id, UpstreamId upstream, std::size_t url, const Secret& token) {
  Parts& in = *parts_;
  const std::size_t lane = in.lanes->of(upstream, url);
  if (lane < in.near.size() && !in.near[lane]) return in.thread->start(id, upstream, url, token);
  in.starting = true;
  in.fetcher->start(FetchOrder{id, lane, token.clone(), Loop::hrtime()});
  in.starting = false;
}

}  // namespace claimsd::daemon
