// The blocking calls. The order in which an answer is looked for is that of look_up(): what is
// nearest first, the socket last.
#include <time.h>

#include <optional>
#include <type_traits>

#include "client/src/answer.h"
#include "client/src/cancel_disabled.h"
#include "client/src/handle.h"
#include "client/src/query_request.h"
#include "client/src/report_request.h"

namespace claimsd::client {
namespace {

// Retries of one query: once after an established connection breaks. During the restart window a
// socket without a listener, or a hang-up before the Welcome, is retried as well.
class RetryPolicy {
 public:
  explicit RetryPolicy(std::int64_t restart_window_end)
      : restart_until_(restart_window_end), absent_until_(restart_window_end) {}

  enum class Next : std::uint8_t { kNow, kAfterPause, kGiveUp };

  Next after(const Outcome& outcome, bool welcomed, Handle& handle) {
    const std::int64_t now = now_ns();
    if (outcome.result == StepResult::kAbsent) {
      handle.note_absence(now);
      const std::int64_t window_end = handle.restart_window_end();
      if (window_end > absent_until_) absent_until_ = window_end;
    }
    if (outcome.result == StepResult::kAbsent)
      return now < absent_until_ ? Next::kAfterPause : Next::kGiveUp;
    if (outcome.result != StepResult::kLost) return Next::kGiveUp;
    if (!welcomed && now < restart_until_) return Next::kAfterPause;
    if (losses_++ > 0) return Next::kGiveUp;
    absent_until_ = now + kRestartWindowNs;
    if (welcomed) restart_until_ = absent_until_;
    return Next::kNow;
  }

 private:
  std::int64_t restart_until_;
  std::int64_t absent_until_;
  unsigned losses_ = 0;
};

void pause_before(Deadline deadline) {
  const std::int64_t left = deadline.at_ns - now_ns();
  if (left <= 0) return;
  const timespec pause = to_timespec(left < kRestartPauseNs ? left : kRestartPauseNs);
  nanosleep(&pause, nullptr);  // cut short by a signal it just looks sooner
}

void stamp(proto::Query& query, std::uint32_t remaining_ms) {
  query.timeout_ms = daemon_share_ms(remaining_ms);
}
void stamp(proto::Ping& /*ping*/, std::uint32_t /*remaining_ms*/) {}
void stamp(proto::Report& report, std::uint32_t remaining_ms) {
  report.timeout_ms = daemon_share_ms(remaining_ms);
}

// Whether a daemon that granted these features takes it.
template <class Message>
constexpr bool is_taken(std::uint64_t features) {
  return !std::is_same_v<Message, proto::Report> || (features & proto::kFeatureReports) != 0;
}

// One attempt on one connection. `welcomed` is set once the handshake is complete.
template <class Message>
Outcome try_once(Handle& handle, Connection& connection, Message& message,
                 proto::MessageType wanted, Deadline deadline, Reply& reply, bool& welcomed) {
  const uid_t uid = handle.current_uid();
  welcomed = connection.connected() && !handle.is_stale(connection) && connection.uid() == uid &&
             !handle.should_fetch_map();
  if (!welcomed) {
    Welcomed greeting;
    const Outcome outcome =
        connection.open(handle.address(), handle.introduction(), deadline, greeting);
    if (!outcome.done()) return outcome;
    handle.welcome(greeting.message, std::move(greeting.map));
    welcomed = true;
  }
  if (!is_taken<Message>(connection.features())) return final_outcome(Reason::kNoReports);
  const std::uint32_t remaining_ms = deadline.remaining_ms();
  stamp(message, remaining_ms);
  const Outcome outcome = connection.call(message, wanted, deadline, remaining_ms, reply);
  if (outcome.result == StepResult::kLost) handle.note_loss(now_ns());
  return outcome;
}

// Retries until `reply` has an answer or there is a final reason.
template <class Message>
Outcome query_daemon(Handle& handle, PooledConnection& pooled, Message message,
                     proto::MessageType wanted, Deadline deadline, Reply& reply) {
  if (pooled.get() == nullptr) return over(deadline);
  RetryPolicy retry_policy(handle.restart_window_end());
  for (;;) {
    bool welcomed = false;
    const Outcome outcome =
        try_once(handle, *pooled.get(), message, wanted, deadline, reply, welcomed);
    if (outcome.done()) return outcome;
    if (is_connection_limit(outcome.reason) && pooled.exchange(deadline)) continue;
    if (pooled.get() == nullptr) return outcome;
    switch (retry_policy.after(outcome, welcomed, handle)) {
      case RetryPolicy::Next::kGiveUp: return outcome;
      case RetryPolicy::Next::kAfterPause: pause_before(deadline); break;
      case RetryPolicy::Next::kNow: break;
    }
    if (deadline.is_canceled()) return over(deadline);
    if (deadline.remaining_ms() == 0) return {StepResult::kFinal, outcome.reason};
  }
}

// Answers by `out`, if the caller wants more than the verdict.
claimsd_result conclude(const LookupResult& found, claimsd_answer** out) {
  if (out != nullptr) *out = make_answer(found);
  return result_of(found.verdict);
}

claimsd_result query_over_socket(Handle& handle, const QueryRequest& request,
                                 claimsd_answer** out) {
  const CancelDisabled cancel_disabled;
  handle.count_socket_query();
  const Deadline deadline = request.begin_waiting();
  PooledConnection pooled(handle.pool(), deadline);
  Reply reply;
  proto::Query query = request.query;
  query.local_hits = handle.take_local_hits(now_ns());
  const Outcome outcome =
      query_daemon(handle, pooled, query, proto::MessageType::kAnswer, deadline, reply);
  // Concluded before the lease ends: the claims still lie in the connection's buffer.
  return conclude(
      outcome.done() ? lookup_result_of(reply.answer) : lookup_result_of(outcome.reason), out);
}

claimsd_result look_up(Handle& handle, const QueryRequest& request, claimsd_answer** out) {
  if (request.query.token.empty()) return conclude(lookup_result_of(Reason::kMalformed), out);
  if (handle.local_lookup().look_up(request.query, out)) return CLAIMSD_VALID;
  if (!fits_a_frame(request.query)) return conclude(lookup_result_of(Reason::kTooLong), out);
  const InUse in_use(handle);
  return query_over_socket(handle, request, out);
}

// Empty if the report is recorded; otherwise the reason why it may not be.
std::optional<LookupResult> report_over_socket(Handle& handle, const proto::Report& report,
                                               Deadline deadline) {
  const CancelDisabled cancel_disabled;
  PooledConnection pooled(handle.pool(), deadline);
  Reply reply;
  const Outcome outcome =
      query_daemon(handle, pooled, report, proto::MessageType::kReceipt, deadline, reply);
  if (!outcome.done()) return lookup_result_of(outcome.reason);
  if (is_recorded(reply.receipt)) return std::nullopt;
  return lookup_result_of(reply.receipt);
}

claimsd_result report(Handle& handle, ReportRequest& report_request, claimsd_answer** out) {
  const std::uint32_t delivered = handle.reports().take_undelivered();
  report_request.report.unacknowledged = delivered;
  const std::optional<LookupResult> why_not =
      report_over_socket(handle, report_request.report, report_request.begin_waiting());
  if (why_not) {
    handle.reports().count_lost(delivered);
    return conclude(*why_not, out);
  }
  handle.reports().count_recorded();
  return CLAIMSD_RECORDED;
}

claimsd_result ping(Handle& handle, Deadline deadline, claimsd_answer** out) {
  const CancelDisabled cancel_disabled;
  PooledConnection pooled(handle.pool(), deadline);
  const proto::Ping ping{.echo = static_cast<std::uint64_t>(now_ns())};
  Reply reply;
  const Outcome outcome =
      query_daemon(handle, pooled, ping, proto::MessageType::kPong, deadline, reply);
  if (!outcome.done()) return conclude(lookup_result_of(outcome.reason), out);
  if (reply.pong.echo != ping.echo) return conclude(lookup_result_of(Reason::kProtocol), out);
  return CLAIMSD_OK;
}

// The common start of all lookups. nullopt for a bad argument. By value: a request that is made first
// and filled then would be cleared in between, which takes a tenth of a local hit.
std::optional<QueryRequest> begin(claimsd_handle* handle, const claimsd_query_request* given,
                                  claimsd_answer** out) {
  if (out != nullptr) *out = nullptr;
  if (handle == nullptr) return std::nullopt;
  return read_query_request(given, handle->handle.timeout_ms());
}

claimsd_result no_resources(claimsd_answer** out) {
  return conclude(lookup_result_of(Reason::kNoResources), out);
}

}  // namespace
}  // namespace claimsd::client

namespace client = claimsd::client;

claimsd_result claimsd_query(claimsd_handle* handle, const claimsd_query_request* request,
                             claimsd_answer** out) {
  const std::optional<client::QueryRequest> asked = client::begin(handle, request, out);
  if (!asked) return CLAIMSD_BAD_ARGUMENT;
  if (!handle->handle.enter()) return client::no_resources(out);
  return client::look_up(handle->handle, *asked, out);
}

claimsd_result claimsd_peek(claimsd_handle* handle, const claimsd_query_request* request,
                            claimsd_answer** out) {
  const std::optional<client::QueryRequest> asked = client::begin(handle, request, out);
  if (!asked) return CLAIMSD_BAD_ARGUMENT;
  if (!handle->handle.enter()) return CLAIMSD_AGAIN;
  return handle->handle.local_lookup().look_up(asked->query, out) ? CLAIMSD_VALID : CLAIMSD_AGAIN;
}

claimsd_result claimsd_report(claimsd_handle* handle, const claimsd_report_request* report_request,
                              claimsd_answer** out) {
  if (out != nullptr) *out = nullptr;
  client::ReportRequest given;
  if (handle == nullptr ||
      !client::read_report_request(report_request, handle->handle.timeout_ms(), given)) {
    return CLAIMSD_BAD_ARGUMENT;
  }
  if (!handle->handle.enter()) return client::no_resources(out);
  const client::InUse in_use(handle->handle);
  if (!given.awaits_record) return handle->handle.async_reporter().send(given, out);
  return client::report(handle->handle, given, out);
}

claimsd_result claimsd_ping(claimsd_handle* handle, uint32_t timeout_ms, uint64_t* round_trip_ns,
                            claimsd_answer** out) {
  if (out != nullptr) *out = nullptr;
  if (handle == nullptr) return CLAIMSD_BAD_ARGUMENT;
  if (!handle->handle.enter()) return client::no_resources(out);
  const client::InUse in_use(handle->handle);
  const std::int64_t start = client::now_ns();
  const auto deadline =
      client::Deadline::after_ms(timeout_ms == 0 ? handle->handle.timeout_ms() : timeout_ms);
  const claimsd_result result = client::ping(handle->handle, deadline, out);
  if (round_trip_ns != nullptr)
    *round_trip_ns = static_cast<std::uint64_t>(client::now_ns() - start);
  return result;
}
