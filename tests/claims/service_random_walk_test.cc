// Random sequences of all inputs. The fakes throw if a port's contract is violated, and invariants
// are checked after every step.
#include <set>

#include "tests/support/catch.h"
#include "tests/support/service_harness.h"

using namespace claimsd;
using namespace claimsd::claims;
using namespace claimsd::testing;
using namespace std::chrono_literals;
using proto::Reason;

namespace {

constexpr int kTokens = 12;
constexpr int kUsers = 3;

Policy busy_policy(SeededRandom& random) {
  Policy policy = plain_policy();
  policy.ttl.refresh_percent = 10;
  policy.ttl.stale_if_error = random.below(2) == 0 ? 0s : 60s;
  policy.breaker = BreakerPolicy{};
  policy.upstreams[0].urls = 1 + random.below(3);
  policy.upstreams.push_back({.name = "second"});
  policy.max_entries = 6;
  policy.memory_entries = 2;
  policy.max_in_flight = 1 + random.below(4);
  policy.max_pending = random.below(6);
  policy.max_waiters = 20;
  policy.max_waiters_per_uid = 12;
  policy.rate_limit.per_uid = {.per_second = 20, .burst = 20};
  policy.revocations.max_rules = 8;
  return policy;
}

class Walk {
 public:
  explicit Walk(std::uint64_t seed) : random_(seed), world_(busy_policy(random_), seed + 1) {
    for (int i = 0; i < kTokens; ++i) {
      const auto at = FakeClock().now().wall.time_since_epoch() / 1s;
      tokens_.push_back(i % 3 == 0 ? "opaque" + std::to_string(i)
                                   : jwt("{\"iat\":" + std::to_string(at - 1) +
                                         ",\"jti\":" + std::to_string(i) + "}"));
    }
  }

  void step() {
    switch (random_.below(12)) {
      case 0:
      case 1:
      case 2:
      case 3: query(); break;
      case 4:
      case 5:
      case 6: complete(); break;
      case 7: world_.advance(milliseconds(random_.below(400))); break;
      case 8: world_.advance(milliseconds(random_.below(40'000))); break;
      case 9: action(); break;
      case 10: rare(); break;
      default: world_.revocation_log.commit(); break;
    }
    check();
  }

  void finish() {
    world_.advance(31s);
    for (const Waiter& waiter : waiters_) {
      if (left_.count(waiter.connection) == 0) REQUIRE(world_.answered(waiter));
    }
  }

 private:
  std::string user_of(std::size_t token) const { return "user-" + std::to_string(token % kUsers); }

  void query() {
    const std::size_t at = random_.below(kTokens);
    QueryParameters parameters{.timeout = milliseconds(random_.below(5000)),
                               .connection = 1 + connection_ * 10 + random_.below(10),
                               .upstream = static_cast<UpstreamId>(random_.below(2)),
                               .uid = static_cast<std::uint32_t>(random_.below(3))};
    if (random_.below(4) == 0) parameters.max_age = milliseconds(random_.below(3) * 1000);
    const Waiter waiter = world_.query(tokens_[at], parameters);
    waiters_.push_back(waiter);
    asked_[waiter.request] = at;
    if (!world_.answered(waiter)) return;
    const bool valid = world_.reason(waiter) == Reason::kOk;
    if (is_revoked(at)) REQUIRE_FALSE(valid);
    if (valid && world_.answer(waiter).answer.source == proto::Source::kStale)
      REQUIRE(world_.policy.ttl.stale_if_error > 0s);
  }

  void complete() {
    if (world_.upstream.in_flight().empty()) return;
    const auto& in_flight = world_.upstream.in_flight();
    const FakeUpstream::InFlight flight = in_flight[random_.below(in_flight.size())];
    const std::size_t at = static_cast<std::size_t>(
        std::find(tokens_.begin(), tokens_.end(), flight.token) - tokens_.begin());
    const std::string body = "{\"id\":\"" + user_of(at) + "\"}";
    const std::size_t answered = world_.sink.order().size();
    FetchOutcome outcome = status(200, body);
    switch (random_.below(8)) {
      case 0: outcome = status(401); break;
      case 1: outcome = failed(Reason::kUpstreamConnect); break;
      case 2: outcome = status(503); break;
      case 3: outcome = status(200, "junk"); break;
      case 4: outcome.cache_control = "no-store"; break;
      default: break;
    }
    world_.complete(flight.id, outcome);
    for (std::size_t i = answered; i < world_.sink.order().size(); ++i) {
      const Waiter& waiter = world_.sink.order()[i];
      if (world_.reason(waiter) == Reason::kOk)
        REQUIRE_FALSE(is_revoked(asked_.at(waiter.request)));
    }
  }

  bool is_revoked(std::size_t token) const {
    return revoked_tokens_.count(token) != 0 || revoked_users_.count(user_of(token)) != 0;
  }

  void action() {
    const std::size_t at = random_.below(kTokens);
    const std::string user = user_of(at);
    const bool of_token = random_.below(2) == 0;
    const AdminAction given{
        .subject = of_token ? Subject::kToken : Subject::kUser,
        .who = of_token ? std::string_view(tokens_[at]) : std::string_view(user),
        .upstream = {},
        .length = 24h * 365};
    if (random_.below(3) != 0) {
      world_.purge(given);
    } else if (world_.revoke(given).outcome == ActionOutcome::kDone) {
      if (of_token) {
        revoked_tokens_.insert(at);
      } else if (world_.clock.now().wall >= FakeClock().now().wall) {
        // If the wall clock lags, the tokens appear to be issued after the revocation, which then does not
        // cover them.
        revoked_users_.insert(user);
      }
    }
  }

  void rare() {
    switch (random_.below(4)) {
      case 0: world_.clock.step_wall(seconds(random_.below(7200)) - 3600s); break;
      case 1: {
        const std::uint64_t gone = 1 + connection_ * 10 + random_.below(10);
        world_.service->disconnected(gone);
        left_.insert(gone);
        break;
      }
      case 2: world_.clock.advance(seconds(random_.below(600))); break;  // suspended
      default:
        for (const Waiter& waiter : waiters_) left_.insert(waiter.connection);
        ++connection_;
        world_.revocation_log.commit();
        world_.restart();
        break;
    }
    world_.service->tick();
  }

  void check() const {
    const Policy& policy = world_.policy;
    const SingleFlight& flights = world_.service->flights();
    for (const UpstreamId upstream : {UpstreamId{0}, UpstreamId{1}})
      REQUIRE(flights.in_flight(upstream) <= policy.max_in_flight);
    REQUIRE(flights.in_flight() == world_.upstream.in_flight().size());
    REQUIRE(flights.waiting() <= policy.max_waiters);
    REQUIRE(world_.cache.entries() <= policy.max_entries);
  }

  SeededRandom random_;
  ServiceHarness world_;
  std::vector<std::string> tokens_;
  std::vector<Waiter> waiters_;
  std::map<std::uint32_t, std::size_t> asked_;  // index of the token, by request
  std::set<std::uint64_t> left_;
  std::set<std::size_t> revoked_tokens_;
  std::set<std::string> revoked_users_;
  std::uint64_t connection_ = 0;
};

}  // namespace

TEST_CASE("a random walk violates no invariant") {
  for (std::uint64_t seed = 1; seed <= 300; ++seed) {
    INFO("seed " << seed);
    Walk walk(seed);
    for (int step = 0; step < 600; ++step) walk.step();
    walk.finish();
  }
}
