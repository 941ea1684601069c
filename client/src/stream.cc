#include "client/src/stream.h"

namespace claimsd::client {
namespace {

constexpr std::size_t kInputSize = 2 * proto::kMaxFrame;
constexpr std::int64_t kAtOnce = 1;  // in the past, so that the timer fires immediately

}  // namespace

Stream::~Stream() {
  // In a forked child they are the parent's.
  if (unanswered_ == 0 || inherited()) return;
  table_.each([this](OpenQuery& request) {
    if (request.is_report && !request.completed()) count_outcome(request);
  });
}

claimsd_result Stream::create() {
  if (!handle_.enter()) return CLAIMSD_UNAVAILABLE;
  generation_ = handle_.generation();
  if (!table_.create() || !input_.ensure(kInputSize) || !rest_.ensure(proto::kMaxFrame)) {
    return CLAIMSD_NO_MEMORY;
  }
  const bool ready = sends_ == Sends::kBehindHello || wait_.create();
  return ready ? CLAIMSD_OK : CLAIMSD_UNAVAILABLE;
}

claimsd_result Stream::send(const claimsd_query_request* request, std::uint64_t tag) {
  std::optional<QueryRequest> read = read_query_request(request, handle_.timeout_ms());
  if (!read) return CLAIMSD_BAD_ARGUMENT;
  QueryRequest& asked = *read;
  if (table_.full()) return CLAIMSD_UNAVAILABLE;
  claimsd_answer* known = nullptr;
  const Reason unfit = asked.query.token.empty() ? Reason::kMalformed : Reason::kTooLong;
  const bool is_known = handle_.local_lookup().look_up(asked.query, &known);
  const bool is_sent = !is_known && !asked.query.token.empty() && fits_a_frame(asked.query);
  // A query that is answered here still needs an entry for its answer, but not its text.
  if (is_sent) asked.query.local_hits = handle_.take_local_hits(now_ns());
  if (!is_sent) asked.query = {};
  const Deadline deadline = asked.begin_waiting();
  OpenQuery* const query_opened = open(asked.query, tag, deadline);
  if (query_opened == nullptr) {
    claimsd_answer_free(known);
    return CLAIMSD_NO_MEMORY;
  }
  OpenQuery& opened = *query_opened;
  const std::int64_t now = now_ns();
  if (is_known) {
    complete(opened, known);
  } else if (!is_sent) {
    finish(opened, lookup_result_of(unfit));
  } else {
    handle_.count_socket_query();
    enqueue(opened, now);
  }
  arm(opened.completed() ? kAtOnce : next_event(), now);
  return CLAIMSD_OK;
}

claimsd_result Stream::report(const claimsd_report_request* report_request, std::uint64_t tag) {
  ReportRequest given;
  if (!read_report_request(report_request, handle_.timeout_ms(), given))
    return CLAIMSD_BAD_ARGUMENT;
  return report(given, tag);
}

claimsd_result Stream::report(ReportRequest report_request, std::uint64_t tag) {
  report_request.report.unacknowledged = handle_.reports().take_undelivered();
  OpenQuery* const opened =
      table_.full() ? nullptr : open(report_request.report, tag, report_request.begin_waiting());
  if (opened == nullptr) {
    handle_.reports().count_lost(report_request.report.unacknowledged);
    return table_.full() ? CLAIMSD_UNAVAILABLE : CLAIMSD_NO_MEMORY;
  }
  const std::int64_t now = now_ns();
  enqueue(*opened, now);
  arm(opened->completed() ? kAtOnce : next_event(), now);
  return CLAIMSD_OK;
}

template <class Message>
OpenQuery* Stream::open(Message message, std::uint64_t tag, Deadline deadline) {
  // Sent again after a loss as it is: then the daemon may work on it a little longer than we wait,
  // no more.
  message.timeout_ms = daemon_share_ms(deadline.remaining_ms());
  OpenQuery* const opened = table_.add(message, tag, deadline.at_ns);
  if (opened != nullptr) ++unanswered_;
  return opened;
}

// Replaces a connection that was opened as another user, or that is idle and missed the map. True if
// it was closed: then all open queries are queued.
bool Stream::renew_connection() {
  if (state_ == State::kDown) return false;
  const bool other_user = handle_.current_uid() != uid_;
  const bool is_idle = state_ == State::kUp && unanswered_ == 1;
  if (!other_user && !(is_idle && handle_.should_fetch_map())) return false;
  disconnect();
  requeue(false);
  retry_at_ns_ = 0;
  return true;
}

void Stream::enqueue(OpenQuery& request, std::int64_t now) {
  if (!renew_connection()) unsent_.push(&request);
  if (request.deadline_ns < earliest_ns_) earliest_ns_ = request.deadline_ns;
  if (state_ == State::kDown && retry_at_ns_ <= now) connect(now);
  if (may_send() && !wants_write_) flush();
}

claimsd_result Stream::receive(std::uint64_t* tag, claimsd_answer** out) {
  if (completed_.empty()) drive();
  OpenQuery* const request = completed_.pop();
  if (request == nullptr) return CLAIMSD_AGAIN;
  const claimsd_result verdict =
      request->recorded ? CLAIMSD_RECORDED : claimsd_answer_verdict(request->answer);
  if (tag != nullptr) *tag = request->tag;
  if (out != nullptr) {
    *out = request->answer;
    request->answer = nullptr;
  }
  table_.remove(request);
  return verdict;
}

claimsd_result Stream::cancel(std::uint64_t tag) {
  const auto is_meant = [tag](const OpenQuery& request) {
    return request.tag == tag && !request.is_report && !request.completed();
  };
  remove_unsent(is_meant);
  bool found = false;
  table_.each([&](OpenQuery& request) {
    if (!is_meant(request)) return;
    finish(request, lookup_result_of(Reason::kCanceled));
    found = true;
  });
  if (!found) return CLAIMSD_AGAIN;
  arm(kAtOnce, now_ns());
  return CLAIMSD_OK;
}

void Stream::drive() {
  if (state_ != State::kDown) read_answers();
  if (may_send() && wants_write_) flush();
  const std::int64_t now = now_ns();
  if (now >= earliest_ns_) expire(now);
  if (state_ == State::kDown && unanswered_ > 0 && retry_at_ns_ <= now) connect(now);
  arm(next_event(), now);
}

void Stream::connect(std::int64_t now) {
  OwnedFd fd;
  Outcome outcome = connect_nonblocking(handle_.address(), fd);
  if (outcome.done()) outcome = greet(std::move(fd));
  down_reason_ = outcome.reason;
  if (outcome.result == StepResult::kAbsent) handle_.note_absence(now);
  const bool restarting = now < absent_until_ns_ || now < handle_.restart_window_end();
  if (outcome.result == StepResult::kBusy ||
      (outcome.result == StepResult::kAbsent && restarting)) {
    retry_at_ns_ = now + kRestartPauseNs;
  } else if (outcome.result == StepResult::kLost) {
    lose();
  } else if (!outcome.done()) {
    finish_all(outcome.reason);
  }
}

Outcome Stream::greet(OwnedFd fd) {
  char hello[proto::kHeaderSize + 64 + proto::kMaxName + proto::kMaxUrl];
  const std::size_t size = handle_.introduction().encode(1, hello, sizeof hello);
  socket_ = std::move(fd);
  passed_map_.close();
  uid_ = handle_.current_uid();
  state_ = State::kGreeting;
  // A new socket accepts a whole Hello, or is broken.
  if (send_bytes(hello, size) != static_cast<ssize_t>(size)) return kLost;
  if (!wait_.watch(socket_.get())) return final_outcome(Reason::kNoResources);
  if (may_send()) flush();
  return kDone;
}

void Stream::disconnect() {
  explicit_bzero(input_.data(), input_used_);
  explicit_bzero(rest_.data(), rest_end_);
  input_used_ = rest_begin_ = rest_end_ = 0;
  wants_write_ = false;
  passed_map_.close();
  state_ = State::kDown;
  // Before the close: a forked child's copy would keep the socket open, and watched.
  if (socket_.still_ours()) wait_.unwatch(socket_.get());
  socket_.close();
}

// The connection broke. Each open query is sent once more. While a daemon that had welcomed us may
// be restarting, a connection that breaks before its Welcome is like a socket without a listener.
void Stream::lose() {
  const bool welcomed = state_ == State::kUp;
  const std::int64_t now = now_ns();
  const bool patient = !welcomed && now < restart_until_ns_;
  disconnect();
  down_reason_ = Reason::kDisconnected;
  retry_at_ns_ = patient ? now + kRestartPauseNs : now;
  if (!patient) {
    absent_until_ns_ = now + kRestartWindowNs;
    if (welcomed) restart_until_ns_ = absent_until_ns_;
    if (welcomed) handle_.note_loss(now);
  }
  requeue(!patient);
}

void Stream::requeue(bool count_loss) {
  unsent_ = {};
  table_.each([&](OpenQuery& request) {
    if (request.completed()) return;
    if (count_loss && request.losses++ > 0) {
      finish(request, lookup_result_of(Reason::kDisconnected));
    } else {
      request.state = OpenQuery::State::kQueued;
      unsent_.push(&request);
    }
  });
}

void Stream::finish(OpenQuery& request, const LookupResult& found) {
  complete(request, make_answer(found));
}

void Stream::record(OpenQuery& report) {
  report.recorded = true;
  complete(report, nullptr);
}

void Stream::count_outcome(const OpenQuery& report) {
  if (report.recorded) return handle_.reports().count_recorded();
  handle_.reports().count_lost(report.delivered);
}

// The daemon does not accept reports. flush() completes the ones not sent yet.
void Stream::withdraw_reports() {
  table_.each([this](OpenQuery& request) {
    if (request.is_report && request.state == OpenQuery::State::kSent) {
      finish(request, lookup_result_of(Reason::kNoReports));
    }
  });
}

void Stream::complete(OpenQuery& request, claimsd_answer* answer) {
  if (request.is_report) count_outcome(request);
  request.answer = answer;
  request.state = OpenQuery::State::kCompleted;
  completed_.push(&request);
  --unanswered_;
}

void Stream::finish_all(Reason reason) {
  disconnect();
  unsent_ = {};
  table_.each([&](OpenQuery& request) {
    if (!request.completed()) finish(request, lookup_result_of(reason));
  });
}

void Stream::expire(std::int64_t now) {
  const LookupResult late =
      lookup_result_of(state_ == State::kDown ? down_reason_ : Reason::kTimeout);
  remove_unsent([now](const OpenQuery& request) { return request.deadline_ns <= now; });
  earliest_ns_ = INT64_MAX;
  table_.each([&](OpenQuery& request) {
    if (request.completed()) return;
    if (request.deadline_ns <= now) {
      finish(request, late);
    } else if (request.deadline_ns < earliest_ns_) {
      earliest_ns_ = request.deadline_ns;
    }
  });
}

// The next time at which work is due without input from the daemon.
std::int64_t Stream::next_event() const {
  if (unanswered_ == 0) return INT64_MAX;
  std::int64_t next = earliest_ns_;
  if (state_ == State::kDown && retry_at_ns_ < next) next = retry_at_ns_;
  return next < kAtOnce ? kAtOnce : next;
}

// Sets the timer if it would fire too late or has fired. One that fires too early costs the caller
// a CLAIMSD_AGAIN.
void Stream::arm(std::int64_t wanted, std::int64_t now) {
  const bool early_enough = armed_ns_ <= wanted && armed_ns_ > now;
  if (early_enough || wanted == armed_ns_) return;
  if (wait_.set_timer(wanted)) armed_ns_ = wanted;
}

}  // namespace claimsd::client
