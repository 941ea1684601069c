#include "tests/sim/scenario.h"

namespace claimsd::sim {

using namespace claims;
using namespace std::chrono_literals;

namespace {

template <class T, class... More>
T one_of(Dice& dice, T first, More... more) {
  return dice.pick(std::array<T, 1 + sizeof...(More)>{first, static_cast<T>(more)...});
}

Policy draw_policy(Dice& dice) {
  Policy policy;
  policy.ttl.max_ttl = one_of<Duration>(dice, 2s, 5s, 10s, 30s, 60s, 300s);
  policy.ttl.clock_skew = one_of<Duration>(dice, 0s, 5s, 30s);
  policy.ttl.jitter_percent = one_of(dice, 0u, 10u, 25u);
  policy.lease = one_of<Duration>(dice, 1s, 5s, 60s);
  policy.negative_ttl = one_of<Duration>(dice, 0s, 1s, 5s, 5s, 30s);
  policy.negative_entries = one_of<std::size_t>(dice, 0, 4, 32, 1000);
  policy.max_entries = one_of<std::size_t>(dice, 4, 16, 64, 1000);
  policy.memory_entries = one_of<std::size_t>(dice, 0, 2, 8, 32);
  policy.max_in_flight = one_of<std::size_t>(dice, 1, 2, 8, 64);
  policy.max_pending = one_of<std::size_t>(dice, 0, 1, 8, 64, 4096);
  policy.max_waiters = one_of<std::size_t>(dice, 4, 32, 1000, 65536);
  policy.max_timeout = one_of<Duration>(dice, 1s, 5s, 30s);
  policy.max_waiters_per_uid = one_of<std::size_t>(dice, 3, 100, 16'384);
  policy.ttl.stale_if_error = one_of<Duration>(dice, 0s, 0s, 10s, 300s);
  policy.ttl.refresh_percent = one_of(dice, 0u, 10u, 50u);
  policy.breaker.failure_threshold = one_of(dice, 1u, 3u, 10u);
  policy.breaker.longest_backoff = one_of<Duration>(dice, 2s, 30s);
  policy.breaker.longest_retry_after = one_of<Duration>(dice, 10s, 300s);
  policy.breaker.retry_percent = one_of(dice, 0u, 20u, 20u);
  policy.rate_limit.per_uid = {one_of(dice, 0u, 1u, 20u, 1000u), one_of(dice, 5u, 40u, 10'000u)};
  policy.rate_limit.per_client = {one_of(dice, 0u, 2u, 50u), one_of(dice, 2u, 20u, 500u)};
  policy.rate_limit.reserved_percent = one_of(dice, 0u, 25u, 50u);
  policy.rate_limit.max_uids = one_of<std::size_t>(dice, 2, 1024);
  policy.rate_limit.max_clients = one_of<std::size_t>(dice, 2, 1024);
  policy.reports.per_uid = {one_of(dice, 0u, 1u, 20u), one_of(dice, 1u, 8u, 1000u)};
  policy.revocations.max_rules = one_of<std::size_t>(dice, 2, 20, 1000);
  policy.revocations.without_iat = one_of<Duration>(dice, 5s, 60s, 86'400s);
  policy.revocations.margin = one_of<Duration>(dice, 0s, 10s, 300s);
  // Each level includes the previous ones.
  const auto level = one_of(dice, 0u, 1u, 1u, 2u, 3u, 4u);
  policy.audit = {.failures = level >= 1,
                  .verifications = level >= 2,
                  .leases = level >= 3,
                  .hits = level >= 4};
  policy.upstreams = {UpstreamPolicy{.name = "main"}};
  if (dice.percent(50)) {
    policy.upstreams.push_back(
        UpstreamPolicy{.name = "other",
                       .rejection_statuses = one_of(dice, 0, 1) == 0 ? std::vector<int>{401}
                                                                     : std::vector<int>{401, 403}});
  }
  for (UpstreamPolicy& upstream : policy.upstreams)
    upstream.urls = one_of<std::size_t>(dice, 1, 2, 3);
  return policy;
}

}  // namespace

Scenario draw_scenario(std::uint64_t seed, unsigned events) {
  Dice dice(seed ^ 0x5ce9'a210);
  Scenario scenario;
  scenario.seed = seed;
  scenario.events = events;
  scenario.policy = draw_policy(dice);
  scenario.store_bytes = one_of<std::size_t>(dice, 600, 4'000, 1'000'000, 1'000'000);
  scenario.tokens = one_of(dice, 3u, 12u, 40u, 120u);
  scenario.users = 1 + scenario.tokens / one_of(dice, 1u, 3u, 8u);
  scenario.connections = one_of(dice, 3u, 100u, 4000u);
  scenario.uids = one_of(dice, 1u, 2u, 8u);
  scenario.with_address = dice.percent(30);
  scenario.with_leases = dice.percent(70);
  scenario.gap = one_of<Duration>(dice, 2ms, 10ms, 50ms, 200ms, 1s);
  scenario.queries_per_fault = one_of(dice, 10u, 20u, 60u);
  scenario.junk = one_of(dice, 0u, 5u, 40u);
  scenario.unusable = one_of(dice, 0u, 3u, 10u);
  scenario.with_max_age = one_of(dice, 0u, 8u, 30u);
  scenario.with_timeout = one_of(dice, 0u, 20u, 60u);
  scenario.reacts = one_of(dice, 0u, 3u);
  scenario.slow = one_of(dice, 2u, 10u, 50u);
  scenario.with_headers = one_of(dice, 0u, 20u, 60u);
  scenario.audit_commit = one_of<Duration>(dice, 0s, 0s, 1ms, 10ms, 300ms);
  return scenario;
}

}  // namespace claimsd::sim
