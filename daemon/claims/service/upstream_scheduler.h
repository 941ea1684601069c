// upstream_scheduler.h: requests to the Auth APIs: which query waits for which request, and when a
// request starts, is retried, or is not made at all.
//
// Owns the flights and their waiters, the queues of pending requests, the circuit breakers of Auth
// APIs and tokens, the choice of URLs and connections, the retry budget and the rate limits. It judges a response
// only as evidence about the Auth API's health; what the response says about the token is for
// Settlement, and the answers to the waiters are for ClaimsService. Owned by ClaimsService; loop
// thread.
#pragma once

#include <functional>
#include <optional>
#include <vector>

#include "daemon/base/random.h"
#include "daemon/claims/counters.h"
#include "daemon/claims/parse/json_buffers.h"
#include "daemon/claims/ports.h"
#include "daemon/claims/service/policy.h"
#include "daemon/claims/service/query.h"
#include "daemon/claims/upstream/disputed_tokens.h"
#include "daemon/claims/upstream/rejection_check.h"
#include "daemon/claims/upstream/single_flight.h"
#include "daemon/claims/upstream/token_breaker.h"
#include "daemon/claims/upstream/url_failover.h"

namespace claimsd::claims {

class UpstreamScheduler {
 public:
  struct Dependencies {
    const Policy& policy;
    Clock& clock;
    Random& random;
    Upstream& upstream;
    Observer& observer;
    JsonBuffers& json;
    Counters& counters;
  };
  explicit UpstreamScheduler(Dependencies deps);

  // The query joins its token's flight, or starts one as soon as the limits allow. Returns an answer
  // if it may not wait; then `waiting` is unchanged, otherwise moved from.
  std::optional<Answer> enqueue(const Query& query, const JwtTimes& times, Waiting& waiting,
                                const Now& now);
  // Refresh-ahead, so that later queries need not wait. Skipped first under load.
  void refresh(const TokenKey& key, const Query& query, const Now& now);

  // A request that is finished, with its flight and waiters removed.
  struct Completed {
    Flight flight;
    Judgement judgement;
    bool is_disputed = false;  // confirmed, but rejected by another instance shortly before
  };
  using Doubted = std::function<void(const Flight&)>;
  // A request ended. Nullopt: it is unknown, or was sent again. Calls `doubted` before it sends a
  // request again to check a rejection: the entry of its token must not answer meanwhile.
  std::optional<Completed> complete(FlightId id, const FetchOutcome& outcome, const Now& now,
                                    const Doubted& doubted);
  // Adds the flight that the successors of a finished flight wait for. Returns the answer for those
  // that it leaves in `flight`, because no request may be made for them. The new flight takes over
  // the wish for a lease: its confirmation replaces this one soon.
  Answer add_successor(Flight& flight, const Now& now);
  // Starts pending requests as far as the limits allow. `now` may be slightly in the past; answers
  // then count as older by that much.
  void start_pending(UpstreamId upstream, const Now& now);
  // The answer for pending queries, if the circuit breaker is open; nullopt: they go on waiting.
  std::optional<Answer> sheds_pending(UpstreamId upstream, const Now& now);
  // Removes the next pending flight; nullopt: none is left.
  std::optional<Flight> drop_pending(UpstreamId upstream, const Now& now);

  // Removes and returns a waiter of a removed flight; nullopt if it has already left.
  std::optional<Waiting> take(WaiterId id) { return flights_.take(id); }
  // Removes and returns one waiter whose deadline has passed.
  std::optional<Waiting> take_overdue(BootTime now) { return flights_.take_overdue(now); }
  // The token of the flight for `key`; "" if there is none. Valid until the flight is removed.
  std::string_view token_of(const TokenKey& key);
  std::optional<BootTime> next_deadline() const { return flights_.next_deadline(); }
  void disconnected(std::uint64_t connection) { flights_.drop_connection(connection); }

  // For a purge: a flight in progress answers its current waiters only, and is not cached.
  void close(const TokenKey& key) { flights_.close(key); }
  void close_in_flight() { flights_.close_in_flight(); }

  // The token was valid: it may use the reserve of the rate limits.
  void remember_valid(const TokenKey& key) { recently_valid_.add(key); }
  void forget_valid(const TokenKey& key) { recently_valid_.erase(key); }
  // Prepares enqueue().
  void prefetch(const TokenKey& key) const { recently_valid_.prefetch(key); }

  // Call after the policy has changed from `before`.
  void policy_changed(const Policy& before);
  // From now on no request starts.
  void stop() { stopping_ = true; }
  bool stopping() const { return stopping_; }

  const SingleFlight& flights() const { return flights_; }
  bool in_flight(const TokenKey& key) { return flights_.find(key) != nullptr; }
  // Remaining backoff of a failing Auth API; 0: requests are allowed.
  Duration backoff(UpstreamId upstream, BootTime now) const {
    return upstreams_.at(upstream).breaker.backoff_remaining(now).value_or(Duration(0));
  }

  // Ends the backoff of this Auth API, and of all tokens: the next query makes a request. Returns the
  // backoff that remained.
  Duration retry_now(UpstreamId upstream, const Now& now);

 private:
  struct UpstreamState {  // of one Auth API
    CircuitBreaker breaker;
    UrlFailover urls;
    RejectionCheck rejections;
  };

  std::optional<Answer> back_off(UpstreamId upstream, const TokenKey& key, const Now& now);
  std::optional<Answer> turn_down(const Query& query, const Flight* flight, bool makes_request,
                                  bool known, const Now& now);
  std::optional<proto::Reason> reason_if_full(const Query& query, const Flight* flight, bool known,
                                              const Now& now);
  void send(Flight& flight, const Now& now);
  bool try_again(Flight& flight, const Judgement& judgement, const Now& now);
  bool check_rejection(Flight& flight, const Judgement& judgement, const FetchOutcome& outcome,
                       const Now& now, const Doubted& doubted);
  void note_check(const Flight& flight, const Judgement& judgement, const Now& now);
  bool said_before(const Flight& flight, const Judgement& judgement, const Now& now) const;
  void note_health(const Flight& flight, const Judgement& judgement, const Now& now);
  bool anybody_waits(const Flight& flight) const;
  template <class Change>
  void change_breaker(UpstreamId upstream, Change&& change);

  Dependencies deps_;
  SingleFlight flights_;
  std::vector<UpstreamState> upstreams_;  // by UpstreamId
  RateLimiter rate_limiter_;
  TokenBreaker token_breaker_;
  DisputedTokens disputed_;
  RecentlyValid recently_valid_;
  RecentlyValid refresh_failed_;  // not refreshed again before their TTL ends
  bool stopping_ = false;
};

}  // namespace claimsd::claims
