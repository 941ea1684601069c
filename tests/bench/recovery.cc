// How long lookups stay unavailable after all kept connections to the Auth API have fallen silent,
// while new ones work. The policy and the fetch thread are the daemon's own; the Auth API is the
// fault server. The old behavior is reproduced by pinning the pool: failed connections stay in it,
// and every request may use them.
#include <fmt/core.h>

#include <algorithm>
#include <exception>
#include <stdexcept>

#include "daemon/claims/service.h"
#include "daemon/loop/timer.h"
#include "daemon/upstream/fetch_thread.h"
#include "tests/bench/benchmarks.h"
#include "tests/support/fake_world.h"
#include "tests/support/fault_server.h"

namespace claimsd::bench {
namespace {

using claims::FetchOutcome;
using claims::FlightId;

constexpr milliseconds kTimeout{500};
constexpr seconds kGivenUp{20};  // of a pinned pool, which may need minutes
constexpr std::array<unsigned, 3> kPools = {1, 8, 40};
constexpr const char* kMode = "old-silent";

double in_ms(Duration time) {
  return static_cast<double>(time.count()) / 1e6;
}

// Passes requests on as a client does that does not know which connection failed.
class PinnedUpstream final : public claims::Upstream {
 public:
  explicit PinnedUpstream(claims::Upstream& to) : to_(to) {}
  void start(FlightId id, claims::UpstreamId upstream, std::size_t url, const Secret& token,
             claims::Connect /*connect*/) override {
    to_.start(id, upstream, url, token, claims::Connect::kReuse);
  }

 private:
  claims::Upstream& to_;
};

// A ClaimsService that asks the fault server.
class Host {
 public:
  Host(const test::FaultServer& server, bool is_pinned) : is_pinned_(is_pinned) {
    upstream::UpstreamSettings settings;
    settings.name = "main";
    settings.url = server.url(kMode);
    settings.timeout = kTimeout;
    settings.connect_timeout = kTimeout;
    settings.keep_failed_connections = is_pinned;
    loop_ = must(loop::Loop::create());
    fetch_ = must(upstream::FetchThread::create(
        {settings},
        [this](FlightId id, FetchOutcome&& outcome) {
          if (is_pinned_) outcome.reused = false;
          service_->on_complete(id, outcome);
        },
        *loop_, log_));
    pinned_.emplace(*fetch_);
    claims::Policy policy;
    policy.upstreams = {claims::UpstreamPolicy{.name = "main"}};
    claims::Upstream& asked = is_pinned ? static_cast<claims::Upstream&>(*pinned_) : *fetch_;
    service_ = std::make_unique<claims::ClaimsService>(
        policy, claims::Dependencies{clock_, random_, keyer_, cache_, asked, sink_, observer_,
                                     publisher_, fingerprinter_, revocation_log_, audit_});
  }

  claims::Waiter ask(std::string_view token) {
    const claims::Waiter waiter{1, ++asked_};
    sink_.expect(waiter);
    service_->query({.token = token, .timeout = 4 * kTimeout}, waiter);
    return waiter;
  }
  // The reason of the answer.
  proto::Reason wait_for(const claims::Waiter& waiter) {
    loop::Timer tick(*loop_, [this] { service_->tick(); });
    tick.start(milliseconds(2), milliseconds(2));
    while (sink_.find(waiter) == nullptr) loop_->run_once();
    return sink_.find(waiter)->answer.reason;
  }

 private:
  template <class T>
  static T must(Result<T> made) {
    if (!made) throw std::runtime_error(made.error().message);
    return std::move(*made);
  }

  bool is_pinned_;
  SystemClock clock_;
  SystemRandom random_;
  testing::FakeKeyer keyer_;
  testing::FakeCache cache_;
  testing::RecordingSink sink_{clock_};
  testing::FakeObserver observer_;
  testing::FakePublisher publisher_{clock_};
  testing::FakeFingerprinter fingerprinter_;
  testing::FakeRevocationLog revocation_log_;
  testing::FakeAuditSink audit_;
  NullLog log_;
  std::uint32_t asked_ = 0;
  std::unique_ptr<loop::Loop> loop_;
  std::unique_ptr<upstream::FetchThread> fetch_;
  std::optional<PinnedUpstream> pinned_;
  std::unique_ptr<claims::ClaimsService> service_;
};

// From the first lookup after the connections froze until the first valid answer. Lookups follow
// one another, each with another token, as from users who return.
Duration outage(const test::FaultServer& server, unsigned pool, bool is_pinned) {
  server.reset();
  Host host(server, is_pinned);
  std::vector<claims::Waiter> first;
  for (unsigned i = 0; i < pool; ++i) first.push_back(host.ask(fmt::format("a.first{}.b", i)));
  for (const claims::Waiter& waiter : first) {
    if (host.wait_for(waiter) != proto::Reason::kOk)
      throw std::runtime_error("the fault server did not answer");
  }
  server.post("/_deploy");
  const Duration begin = loop::Loop::hrtime();
  for (unsigned i = 0; loop::Loop::hrtime() - begin < kGivenUp; ++i) {
    if (host.wait_for(host.ask(fmt::format("a.then{}.b", i))) == proto::Reason::kOk) break;
  }
  return loop::Loop::hrtime() - begin;
}

}  // namespace

Result<Measurement> run_recovery(const Bench& bench) try {
  const test::FaultServer server;
  Measurement measurement{
      .subject = {.name = "claimsd"},
      .peers = {{.name = "2 timeouts", .value = 2 * in_ms(kTimeout)}, {.name = "pinned"}}};
  for (const unsigned pool : kPools) {
    if (bench.interrupt.requested()) return failure("interrupted");
    const Figure recovered{.name = "claimsd", .value = in_ms(outage(server, pool, false))};
    const Figure pinned{.name = "pinned", .value = in_ms(outage(server, pool, true))};
    // The goals hold for the worst pool; an old behavior that is never slow proves nothing.
    measurement.subject.value = std::max(measurement.subject.value, recovered.value);
    measurement.peers[1].value = std::max(measurement.peers[1].value, pinned.value);
    measurement.beside.push_back(
        {.regime = fmt::format("a pool of {}, all silent", pool), .figures = {recovered, pinned}});
  }
  return measurement;
} catch (const std::exception& error) {
  return failure(error.what());
}

}  // namespace claimsd::bench
