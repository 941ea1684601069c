#include "daemon/upstream/upstream_client.h"

#include <algorithm>

#include "daemon/loop/message_queue.h"
#include "daemon/upstream/curl_memory.h"
#include "daemon/upstream/fetcher.h"
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
  std::vector<bool> near;                           // by UpstreamId: asked from the loop
  bool starting = false;                            // start() is on the stack
  std::unique_ptr<MessageQueue<Landing>> landings;  // of what landed within start()
  std::unique_ptr<Fetcher> fetcher;                 // for the near ones
  std::unique_ptr<FetchThread> thread;              // for the others; none: there are none

  void land(FlightId id, FetchOutcome outcome) {
    if (starting) return landings->push({id, std::move(outcome)});
    deliver(id, std::move(outcome));
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
  std::vector<Target> targets;
  for (const UpstreamSettings& settings : upstreams) {
    targets.push_back(TRY(check_target(settings)));
    in.near.push_back(targets.back().clear);
  }
  in.landings = TRY(MessageQueue<Landing>::create(
      loop, [&in](Landing&& landing) { in.deliver(landing.id, std::move(landing.outcome)); }));
  in.fetcher =
      TRY(Fetcher::create(loop, std::move(targets), log, [&in](FlightId id, FetchOutcome outcome) {
        in.land(id, std::move(outcome));
      }));
  const bool all_near = std::all_of(in.near.begin(), in.near.end(), [](bool near) { return near; });
  if (!all_near) in.thread = TRY(FetchThread::create(std::move(upstreams), in.deliver, loop, log));
  return std::unique_ptr<UpstreamClient>(new UpstreamClient(std::move(parts)));
}

void UpstreamClient::start(FlightId id, UpstreamId upstream, const Secret& token) {
  Parts& in = *parts_;
  if (upstream < in.near.size() && !in.near[upstream]) {
    return in.thread->start(id, upstream, token);
  }
  in.starting = true;
  in.fetcher->start(FetchOrder{id, upstream, token.clone(), Loop::hrtime()});
  in.starting = false;
}

}  // namespace claimsd::daemon
