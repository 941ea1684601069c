// The blocking calls. The order in which an answer is looked for is that of look_up(): what is
// nearest first, the socket last.
#include <time.h>

#include <optional>
#include <type_traits>

#include "client/src/answer.h"
#include "client/src/cancel_disabled.h"
#include "client/src/handle.h"
#include "client/src/question.h"
#include "client/src/refusal.h"

namespace claimsd::client_impl {
namespace {

// One question's patience with a daemon that goes away: asked again once when a welcomed connection
// breaks, and for the length of a restart nobody listening (or hanging up before the welcome) is
// not yet an answer.
class Patience {
 public:
  explicit Patience(std::int64_t restart_window_end)
      : restart_until_(restart_window_end), absent_until_(restart_window_end) {}

  enum class Next : std::uint8_t { kNow, kAfterPause, kGiveUp };

  Next after(const Outcome& outcome, bool welcomed, Handle& handle) {
    const std::int64_t now = now_ns();
    if (outcome.fate == Fate::kAbsent) {
      handle.note_absence(now);
      const std::int64_t window_end = handle.restart_window_end();
      if (window_end > absent_until_) absent_until_ = window_end;
    }
    if (outcome.fate == Fate::kAbsent)
      return now < absent_until_ ? Next::kAfterPause : Next::kGiveUp;
    if (outcome.fate != Fate::kLost) return Next::kGiveUp;
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

void stamp(proto::Query& query, std::uint32_t left_ms) {
  query.timeout_ms = daemon_share_ms(left_ms);
}
void stamp(proto::Ping& /*ping*/, std::uint32_t /*left_ms*/) {}
void stamp(proto::Report& report, std::uint32_t left_ms) {
  report.timeout_ms = daemon_share_ms(left_ms);
}

// Whether a daemon that granted these features takes it.
template <class Message>
constexpr bool is_taken(std::uint64_t features) {
  return !std::is_same_v<Message, proto::Report> || (features & proto::kFeatureReports) != 0;
}

// One try on one connection. `welcomed` tells whether it got past the handshake.
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
  const std::uint32_t left_ms = deadline.left_ms();
  stamp(message, left_ms);
  const Outcome outcome = connection.ask(message, wanted, deadline, left_ms, reply);
  if (outcome.fate == Fate::kLost) handle.note_loss(now_ns());
  return outcome;
}

// Asks until there is an answer in `reply`, or a reason why not.
template <class Message>
Outcome ask_daemon(Handle& handle, Lease& lease, Message message, proto::MessageType wanted,
                   Deadline deadline, Reply& reply) {
  if (lease.get() == nullptr) return final_outcome(Reason::kTimeout);
  Patience patience(handle.restart_window_end());
  for (;;) {
    bool welcomed = false;
    const Outcome outcome =
        try_once(handle, *lease.get(), message, wanted, deadline, reply, welcomed);
    if (outcome.done()) return outcome;
    if (outcome.reason == Reason::kTooManyConnections && lease.exchange(deadline)) continue;
    if (lease.get() == nullptr) return outcome;
    switch (patience.after(outcome, welcomed, handle)) {
      case Patience::Next::kGiveUp: return outcome;
      case Patience::Next::kAfterPause: pause_before(deadline); break;
      case Patience::Next::kNow: break;
    }
    if (deadline.left_ms() == 0) return {Fate::kFinal, outcome.reason};
  }
}

// Answers by `out`, if the caller wants more than the verdict.
claimsd_result conclude(const Finding& finding, claimsd_answer** out) {
  if (out != nullptr) *out = make_answer(finding);
  return result_of(finding.verdict);
}

claimsd_result ask_over_socket(Handle& handle, const Question& question, claimsd_answer** out) {
  const CancelDisabled cancel_disabled;
  handle.count_socket_question();
  const Deadline deadline = question.begin_waiting();
  Lease lease(handle.pool(), deadline);
  Reply reply;
  const Outcome outcome =
      ask_daemon(handle, lease, question.query, proto::MessageType::kAnswer, deadline, reply);
  // Concluded before the lease ends: the claims still lie in the connection's buffer.
  return conclude(outcome.done() ? finding_of(reply.answer) : finding_of(outcome.reason), out);
}

claimsd_result look_up(Handle& handle, const Question& question, claimsd_answer** out) {
  if (handle.fast_path().look_up(question.query, out)) return CLAIMSD_VALID;
  if (!fits_a_frame(question.query)) return conclude(finding_of(Reason::kTooLong), out);
  return ask_over_socket(handle, question, out);
}

// Nothing: it is recorded. Else why it may not be.
std::optional<Finding> report_over_socket(Handle& handle, const proto::Report& report,
                                          Deadline deadline) {
  const CancelDisabled cancel_disabled;
  Lease lease(handle.pool(), deadline);
  Reply reply;
  const Outcome outcome =
      ask_daemon(handle, lease, report, proto::MessageType::kReceipt, deadline, reply);
  if (!outcome.done()) return finding_of(outcome.reason);
  if (is_recorded(reply.receipt)) return std::nullopt;
  return finding_of(reply.receipt);
}

claimsd_result report(Handle& handle, Refusal& refusal, claimsd_answer** out) {
  const std::uint32_t told = handle.reports().take_untold();
  refusal.report.unacknowledged = told;
  const std::optional<Finding> why_not =
      report_over_socket(handle, refusal.report, refusal.begin_waiting());
  if (why_not) {
    handle.reports().count_lost(told);
    return conclude(*why_not, out);
  }
  handle.reports().count_recorded();
  return CLAIMSD_RECORDED;
}

claimsd_result ping(Handle& handle, Deadline deadline, claimsd_answer** out) {
  const CancelDisabled cancel_disabled;
  Lease lease(handle.pool(), deadline);
  const proto::Ping ping{.echo = static_cast<std::uint64_t>(now_ns())};
  Reply reply;
  const Outcome outcome =
      ask_daemon(handle, lease, ping, proto::MessageType::kPong, deadline, reply);
  if (!outcome.done()) return conclude(finding_of(outcome.reason), out);
  if (reply.pong.echo != ping.echo) return conclude(finding_of(Reason::kProtocol), out);
  return CLAIMSD_OK;
}

// What every lookup begins with; false for a bad argument.
bool begin(claimsd_handle* handle, const claimsd_question* given, claimsd_answer** out,
           Question& question) {
  if (out != nullptr) *out = nullptr;
  return handle != nullptr && read_question(given, handle->handle.timeout_ms(), question);
}

claimsd_result no_resources(claimsd_answer** out) {
  return conclude(finding_of(Reason::kNoResources), out);
}

}  // namespace
}  // namespace claimsd::client_impl

namespace client = claimsd::client_impl;

claimsd_result claimsd_query(claimsd_handle* handle, const claimsd_question* question,
                             claimsd_answer** out) {
  client::Question asked;
  if (!client::begin(handle, question, out, asked)) return CLAIMSD_BAD_ARGUMENT;
  if (!handle->handle.enter()) return client::no_resources(out);
  return client::look_up(handle->handle, asked, out);
}

claimsd_result claimsd_peek(claimsd_handle* handle, const claimsd_question* question,
                            claimsd_answer** out) {
  client::Question asked;
  if (!client::begin(handle, question, out, asked)) return CLAIMSD_BAD_ARGUMENT;
  if (!handle->handle.enter()) return CLAIMSD_AGAIN;
  return handle->handle.fast_path().look_up(asked.query, out) ? CLAIMSD_VALID : CLAIMSD_AGAIN;
}

claimsd_result claimsd_report(claimsd_handle* handle, const claimsd_refusal* refusal,
                              claimsd_answer** out) {
  if (out != nullptr) *out = nullptr;
  client::Refusal given;
  if (handle == nullptr || !client::read_refusal(refusal, handle->handle.timeout_ms(), given)) {
    return CLAIMSD_BAD_ARGUMENT;
  }
  if (!handle->handle.enter()) return client::no_resources(out);
  if (!given.awaits_record) return handle->handle.report_lane().send(given, out);
  return client::report(handle->handle, given, out);
}

claimsd_result claimsd_ping(claimsd_handle* handle, uint32_t timeout_ms, uint64_t* round_trip_ns,
                            claimsd_answer** out) {
  if (out != nullptr) *out = nullptr;
  if (handle == nullptr) return CLAIMSD_BAD_ARGUMENT;
  if (!handle->handle.enter()) return client::no_resources(out);
  const std::int64_t start = client::now_ns();
  const auto deadline =
      client::Deadline::after_ms(timeout_ms == 0 ? handle->handle.timeout_ms() : timeout_ms);
  const claimsd_result result = client::ping(handle->handle, deadline, out);
  if (round_trip_ns != nullptr)
    *round_trip_ns = static_cast<std::uint64_t>(client::now_ns() - start);
  return result;
}
