#include "client/src/stream.h"

namespace claimsd::client_impl {
namespace {

constexpr std::size_t kInputSize = 2 * proto::kMaxFrame;
constexpr std::int64_t kAtOnce = 1;  // in the past, so that the timer fires immediately

}  // namespace

Stream::~Stream() {
  // In a forked child they are the parent's.
  if (unanswered_ == 0 || inherited()) return;
  table_.each([this](OpenQuestion& question) {
    if (question.is_report && !question.completed()) count_outcome(question);
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

claimsd_result Stream::send(const claimsd_question* question, std::uint64_t tag) {
  Question asked;
  if (!read_question(question, handle_.timeout_ms(), asked)) return CLAIMSD_BAD_ARGUMENT;
  if (table_.full()) return CLAIMSD_UNAVAILABLE;
  claimsd_answer* known = nullptr;
  const bool is_known = handle_.fast_path().look_up(asked.query, &known);
  const bool is_sent = !is_known && fits_a_frame(asked.query);
  // What is not sent keeps its place among the answers, without its text.
  if (!is_sent) asked.query = {};
  const Deadline deadline = asked.begin_waiting();
  OpenQuestion* const question_opened = open(asked.query, tag, deadline);
  if (question_opened == nullptr) {
    claimsd_answer_free(known);
    return CLAIMSD_NO_MEMORY;
  }
  OpenQuestion& opened = *question_opened;
  const std::int64_t now = now_ns();
  if (is_known) {
    complete(opened, known);
  } else if (!is_sent) {
    finish(opened, finding_of(Reason::kTooLong));
  } else {
    handle_.count_socket_question();
    enqueue(opened, now);
  }
  arm(opened.completed() ? kAtOnce : next_event(), now);
  return CLAIMSD_OK;
}

claimsd_result Stream::report(const claimsd_refusal* refusal, std::uint64_t tag) {
  Refusal given;
  if (!read_refusal(refusal, handle_.timeout_ms(), given)) return CLAIMSD_BAD_ARGUMENT;
  return report(given, tag);
}

claimsd_result Stream::report(Refusal refusal, std::uint64_t tag) {
  refusal.report.unacknowledged = handle_.reports().take_untold();
  OpenQuestion* const opened =
      table_.full() ? nullptr : open(refusal.report, tag, refusal.begin_waiting());
  if (opened == nullptr) {
    handle_.reports().count_lost(refusal.report.unacknowledged);
    return table_.full() ? CLAIMSD_UNAVAILABLE : CLAIMSD_NO_MEMORY;
  }
  const std::int64_t now = now_ns();
  enqueue(*opened, now);
  arm(opened->completed() ? kAtOnce : next_event(), now);
  return CLAIMSD_OK;
}

template <class Message>
OpenQuestion* Stream::open(Message message, std::uint64_t tag, Deadline deadline) {
  // Sent again after a loss as it is: then the daemon may work on it a little longer than we wait,
  // no more.
  message.timeout_ms = daemon_share_ms(deadline.left_ms());
  OpenQuestion* const opened = table_.add(message, tag, deadline.at_ns);
  if (opened != nullptr) ++unanswered_;
  return opened;
}

// Before a query is sent that the present connection does not suit: it was opened as another user,
// or it missed the map and has nothing else to do.
void Stream::renew_connection() {
  if (state_ == State::kDown) return;
  const bool other_user = handle_.current_uid() != uid_;
  const bool is_idle = state_ == State::kUp && unanswered_ == 1;
  if (!other_user && !(is_idle && handle_.should_fetch_map())) return;
  disconnect();
  requeue(false);
  retry_at_ns_ = 0;
}

void Stream::enqueue(OpenQuestion& question, std::int64_t now) {
  renew_connection();
  unsent_.push(&question);
  if (question.deadline_ns < earliest_ns_) earliest_ns_ = question.deadline_ns;
  if (state_ == State::kDown && retry_at_ns_ <= now) connect(now);
  if (may_send() && !wants_write_) flush();
}

claimsd_result Stream::receive(std::uint64_t* tag, claimsd_answer** out) {
  if (completed_.empty()) drive();
  OpenQuestion* const question = completed_.pop();
  if (question == nullptr) return CLAIMSD_AGAIN;
  const claimsd_result verdict =
      question->recorded ? CLAIMSD_RECORDED : claimsd_answer_verdict(question->answer);
  if (tag != nullptr) *tag = question->tag;
  if (out != nullptr) {
    *out = question->answer;
    question->answer = nullptr;
  }
  table_.remove(question);
  return verdict;
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
  if (outcome.fate == Fate::kAbsent) handle_.note_absence(now);
  const bool restarting = now < absent_until_ns_ || now < handle_.restart_window_end();
  if (outcome.fate == Fate::kBusy || (outcome.fate == Fate::kAbsent && restarting)) {
    retry_at_ns_ = now + kRestartPauseNs;
  } else if (outcome.fate == Fate::kLost) {
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
  // A fresh socket takes a Hello whole, or is broken.
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

// The daemon is gone. Each open question is asked once more; while a daemon that had welcomed us
// may be restarting, one that hangs up before its welcome counts for as little as one that is not
// there.
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
  table_.each([&](OpenQuestion& question) {
    if (question.completed()) return;
    if (count_loss && question.losses++ > 0) {
      finish(question, finding_of(Reason::kDisconnected));
    } else {
      question.state = OpenQuestion::State::kQueued;
      unsent_.push(&question);
    }
  });
}

void Stream::finish(OpenQuestion& question, const Finding& finding) {
  complete(question, make_answer(finding));
}

void Stream::record(OpenQuestion& report) {
  report.recorded = true;
  complete(report, nullptr);
}

void Stream::count_outcome(const OpenQuestion& report) {
  if (report.recorded) return handle_.reports().count_recorded();
  handle_.reports().count_lost(report.told);
}

// This daemon takes none. Those that wait to be sent are flush()'s to finish.
void Stream::withdraw_reports() {
  table_.each([this](OpenQuestion& question) {
    if (question.is_report && question.state == OpenQuestion::State::kSent) {
      finish(question, finding_of(Reason::kNoReports));
    }
  });
}

void Stream::complete(OpenQuestion& question, claimsd_answer* answer) {
  if (question.is_report) count_outcome(question);
  question.answer = answer;
  question.state = OpenQuestion::State::kCompleted;
  completed_.push(&question);
  --unanswered_;
}

void Stream::finish_all(Reason reason) {
  disconnect();
  unsent_ = {};
  table_.each([&](OpenQuestion& question) {
    if (!question.completed()) finish(question, finding_of(reason));
  });
}

void Stream::expire(std::int64_t now) {
  const Finding late = finding_of(state_ == State::kDown ? down_reason_ : Reason::kTimeout);
  // The queue first, for a finished question's link belongs to another one.
  QuestionQueue queued = unsent_;
  unsent_ = {};
  while (OpenQuestion* const question = queued.pop()) {
    if (question->deadline_ns <= now) {
      finish(*question, late);
    } else {
      unsent_.push(question);
    }
  }
  earliest_ns_ = INT64_MAX;
  table_.each([&](OpenQuestion& question) {
    if (question.completed()) return;
    if (question.deadline_ns <= now) {
      finish(question, late);
    } else if (question.deadline_ns < earliest_ns_) {
      earliest_ns_ = question.deadline_ns;
    }
  });
}

// When something is to be done that no byte from the daemon will announce.
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

}  // namespace claimsd::client_impl
