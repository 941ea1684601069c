#include "daemon/upstream/fetch_thread.h"

#include <fmt/core.h>
#include <pthread.h>
#include <signal.h>

#include <atomic>
#include <optional>
#include <system_error>

#include "daemon/loop/kernel_timer.h"
#include "daemon/loop/message_queue.h"
#include "daemon/upstream/curl_memory.h"
#include "daemon/upstream/fetcher.h"
#include "daemon/upstream/lanes.h"
#include "daemon/upstream/target.h"

namespace claimsd::daemon {
namespace {

constexpr Duration kPulse = seconds(5);

struct Sent {
  FetchOrder flight;
  Secret token;
};

struct Landing {
  FlightId id = 0;
  FetchOutcome outcome;
};

// A thread started while this exists receives no signals: they are for the loop thread.
class SignalsBlocked {
 public:
  SignalsBlocked() {
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before_);
  }
  ~SignalsBlocked() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
  SignalsBlocked(const SignalsBlocked&) = delete;
  SignalsBlocked& operator=(const SignalsBlocked&) = delete;

 private:
  sigset_t before_{};
};

}  // namespace

// Created before the thread starts and destroyed after it has ended, so it has one owner at a time.
// Members are destroyed in reverse order.
struct FetchThread::Parts {
  std::unique_ptr<CurlLibrary> library;
  std::unique_ptr<MessageQueue<Landing>> landings;          // to the loop thread
  std::unique_ptr<MessageQueue<CredentialReport>> reports;  // to the loop thread
  std::unique_ptr<Loop> loop;                               // of the fetch thread
  std::unique_ptr<Fetcher> fetcher;
  std::optional<Lanes> lanes;
  std::atomic<Duration::rep> last_turn{Loop::hrtime().count()};
  std::optional<KernelTimer> pulse;  // fetch thread; shows that its loop runs
  // To the fetch thread; nullopt: stop.
  std::unique_ptr<MessageQueue<std::optional<Sent>>> flights;
};

FetchThread::FetchThread(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}

Result<std::unique_ptr<FetchThread>> FetchThread::create(std::vector<UpstreamSettings> upstreams,
                                                         Deliver deliver, Loop& loop, Log& log,
                                                         Reported reported) {
  auto parts = std::make_unique<Parts>();
  parts->library = TRY(CurlLibrary::create());
  parts->lanes.emplace(upstreams);
  std::vector<Target> targets;
  for (UpstreamSettings& settings : upstreams) {
    targets.push_back(TRY(check_target(std::move(settings))));
  }
  parts->landings =
      TRY(MessageQueue<Landing>::create(loop, [deliver = std::move(deliver)](Landing&& landing) {
        deliver(landing.id, std::move(landing.outcome));
      }));
  parts->reports = TRY(MessageQueue<CredentialReport>::create(
      loop, [reported = std::move(reported)](CredentialReport&& report) {
        if (reported) reported(report);
      }));
  parts->loop = TRY(Loop::create());
  Parts& in = *parts;
  parts->fetcher = TRY(Fetcher::create(
      *in.loop, std::move(targets), log,
      [&in](FlightId id, FetchOutcome&& outcome) {
        in.landings->push({id, std::move(outcome)});
      },
      [&in](const CredentialReport& report) { in.reports->push(report); }));
  parts->flights =
      TRY(MessageQueue<std::optional<Sent>>::create(*in.loop, [&in](std::optional<Sent>&& sent) {
        if (!sent) return in.loop->stop();
        in.fetcher->start(sent->flight, sent->token.view());
      }));
  in.pulse = TRY(KernelTimer::create(
      *in.loop, [&in] { in.last_turn.store(Loop::hrtime().count(), std::memory_order_relaxed); }));
  in.pulse->start(kPulse, kPulse);
  std::unique_ptr<FetchThread> self(new FetchThread(std::move(parts)));
  TRY(self->run());
  return self;
}

Status FetchThread::run() {
  const SignalsBlocked blocked;
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
  return Loop::hrtime() - Duration(parts_->last_turn.load(std::memory_order_relaxed));
}

void FetchThread::start(FlightId id, UpstreamId upstream, std::size_t url, const Secret& token) {
  const FetchOrder flight{id, parts_->lanes->of(upstream, url), Loop::hrtime()};
  parts_->flights->push(Sent{flight, token.clone()});
}

}  // namespace claimsd::daemon
