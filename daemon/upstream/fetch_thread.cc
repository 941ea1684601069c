#include "daemon/upstream/fetch_thread.h"

#include <fmt/core.h>
#include <pthread.h>

#include <atomic>
#include <optional>
#include <system_error>

#include "daemon/loop/message_queue.h"
#include "daemon/loop/signals_blocked.h"
#include "daemon/loop/timer_fd.h"
#include "daemon/upstream/curl_memory.h"
#include "daemon/upstream/fetcher.h"
#include "daemon/upstream/target.h"
#include "daemon/upstream/url_queues.h"

namespace claimsd::upstream {
namespace {

constexpr Duration kPulse = seconds(5);

struct Sent {
  FetchRequest flight;
  Secret token;
  bool drops_connections = false;  // no request: only its url_queue counts
};

struct Completion {
  claims::FlightId id = 0;
  claims::FetchOutcome outcome;
};

}  // namespace

// Created before the thread starts and destroyed after it has ended, so it has one owner at a time.
// Members are destroyed in reverse order.
struct FetchThread::Parts {
  std::unique_ptr<CurlLibrary> library;
  std::unique_ptr<loop::MessageQueue<Completion>> completions;    // to the loop thread
  std::unique_ptr<loop::MessageQueue<CredentialReport>> reports;  // to the loop thread
  std::unique_ptr<loop::Loop> loop;                               // of the fetch thread
  std::unique_ptr<Fetcher> fetcher;
  std::optional<UrlQueues> url_queues;
  std::atomic<Duration::rep> last_iteration{loop::Loop::hrtime().count()};
  std::optional<loop::TimerFd> pulse;  // fetch thread; shows that its loop runs
  // To the fetch thread; nullopt: stop.
  std::unique_ptr<loop::MessageQueue<std::optional<Sent>>> flights;
};

FetchThread::FetchThread(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}

Result<std::unique_ptr<FetchThread>> FetchThread::create(std::vector<UpstreamSettings> upstreams,
                                                         Deliver deliver, loop::Loop& loop,
                                                         Log& log, Reported reported) {
  auto parts = std::make_unique<Parts>();
  parts->library = TRY(CurlLibrary::create());
  parts->url_queues.emplace(upstreams);
  std::vector<Target> targets;
  for (UpstreamSettings& settings : upstreams) {
    targets.push_back(TRY(check_target(std::move(settings))));
  }
  parts->completions = TRY(loop::MessageQueue<Completion>::create(
      loop, [deliver = std::move(deliver)](Completion&& completion) {
        deliver(completion.id, std::move(completion.outcome));
      }));
  parts->reports = TRY(loop::MessageQueue<CredentialReport>::create(
      loop, [reported = std::move(reported)](CredentialReport&& report) {
        if (reported) reported(report);
      }));
  parts->loop = TRY(loop::Loop::create());
  Parts& in = *parts;
  parts->fetcher = TRY(Fetcher::create(
      *in.loop, std::move(targets), log,
      [&in](claims::FlightId id, claims::FetchOutcome&& outcome) {
        in.completions->push({id, std::move(outcome)});
      },
      [&in](const CredentialReport& report) { in.reports->push(report); }));
  parts->flights = TRY(
      loop::MessageQueue<std::optional<Sent>>::create(*in.loop, [&in](std::optional<Sent>&& sent) {
        if (!sent) return in.loop->stop();
        if (sent->drops_connections) return in.fetcher->drop_connections(sent->flight.url_queue);
        in.fetcher->start(sent->flight, sent->token.view());
      }));
  in.pulse = TRY(loop::TimerFd::create(*in.loop, [&in] {
    in.last_iteration.store(loop::Loop::hrtime().count(), std::memory_order_relaxed);
  }));
  in.pulse->start(kPulse, kPulse);
  std::unique_ptr<FetchThread> self(new FetchThread(std::move(parts)));
  TRY(self->run());
  return self;
}

Status FetchThread::run() {
  const loop::SignalsBlocked blocked;
  try {
    thread_ = std::thread([loop = parts_->loop.get()] {
      pthread_setname_np(pthread_self(), "claimsd-fetch");
      loop->run();
    });
  } catch (const std::system_error& error) {
    return failure(fmt::format("cannot start the fetch thread: {}; raise TasksMax", error.what()));
  }
  return {};
}

FetchThread::~FetchThread() {
  if (!thread_.joinable()) return;
  parts_->flights->push(std::nullopt);
  thread_.join();
}

Duration FetchThread::silent_for() const {
  return loop::Loop::hrtime() - Duration(parts_->last_iteration.load(std::memory_order_relaxed));
}

void FetchThread::start(claims::FlightId id, claims::UpstreamId upstream, std::size_t url,
                        const Secret& token, claims::Connect connect) {
  const FetchRequest flight{id, parts_->url_queues->of(upstream, url), loop::Loop::hrtime(),
                            connect};
  parts_->flights->push(Sent{flight, token.clone()});
}

void FetchThread::drop_connections(claims::UpstreamId upstream, std::size_t url) {
  const FetchRequest nothing{.url_queue = parts_->url_queues->of(upstream, url)};
  parts_->flights->push(Sent{nothing, Secret(), true});
}

}  // namespace claimsd::upstream
