// stream.h: many questions and reports over one non-blocking connection, for event loops. Behind
// claimsd_stream in claimsd.h.
//
// The descriptor that the caller waits on stays while the socket in it comes and goes. A timer in
// it makes it readable for deadlines, retries and answers made without the daemon. A stream of
// reports that no caller waits for has a socket and no such descriptor.
//
//   kDown ──question──▶ kGreeting (Hello sent) ──Welcome──▶ kUp
//     ▲                      │                               │
//     └──────────────────────┴───────── hung up ─────────────┘
//
// Questions that were open when it hung up are queued again, each once.
//
// One thread at a time; owned by the caller; outlived by its handle. Does not survive fork(): its
// epoll instance is shared with the parent, so inherited() streams do nothing.
#pragma once

#include "client/src/answer.h"
#include "client/src/handle.h"
#include "client/src/question.h"
#include "client/src/question_table.h"
#include "client/src/refusal.h"
#include "client/src/wait_descriptor.h"

namespace claimsd::client_impl {

class Stream {
 public:
  // kBehindHello sends without waiting for the Welcome, unless an earlier one did not grant
  // reports: then nobody has to come back for what was not sent at once.
  enum class Sends : std::uint8_t { kOnceWelcome, kBehindHello };

  explicit Stream(Handle& handle, Sends sends = Sends::kOnceWelcome)
      : handle_(handle), sends_(sends) {}
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;
  // Reports without their receipts count as lost.
  ~Stream();

  claimsd_result create();

  int fd() const { return wait_.fd(); }
  bool inherited() { return !handle_.enter() || handle_.generation() != generation_; }
  std::size_t pending() const { return table_.size(); }

  claimsd_result send(const claimsd_question* question, std::uint64_t tag);
  claimsd_result report(const claimsd_refusal* refusal, std::uint64_t tag);
  claimsd_result report(Refusal refusal, std::uint64_t tag);
  claimsd_result receive(std::uint64_t* tag, claimsd_answer** out);

  // In a forked child: what is open is the parent's. Only its destructor may follow.
  void abandon() {
    wait_.close();
    socket_.close();
    unanswered_ = 0;
  }

 private:
  friend struct StreamFrames;
  enum class State : std::uint8_t { kDown, kGreeting, kUp };

  // Everything that time or the daemon has brought since.
  void drive();

  void renew_connection();
  void connect(std::int64_t now);
  Outcome greet(OwnedFd fd);
  void disconnect();
  void lose();
  void requeue(bool count_loss);

  bool may_send() const {
    return state_ == State::kUp || (state_ == State::kGreeting && sends_ == Sends::kBehindHello &&
                                    handle_.may_take_reports());
  }
  void flush();
  bool flush_rest();
  ssize_t send_bytes(const char* bytes, std::size_t size);
  void want_write(bool wanted);

  void read_answers();
  ssize_t receive_bytes(std::size_t room);
  void take_frames();

  template <class Message>
  OpenQuestion* open(Message message, std::uint64_t tag, Deadline deadline);
  void enqueue(OpenQuestion& question, std::int64_t now);
  void record(OpenQuestion& report);
  void count_outcome(const OpenQuestion& report);
  void withdraw_reports();
  void finish(OpenQuestion& question, const Finding& finding);
  void complete(OpenQuestion& question, claimsd_answer* answer);
  void finish_all(Reason reason);
  void expire(std::int64_t now);
  void arm(std::int64_t wanted, std::int64_t now);
  std::int64_t next_event() const;

  Handle& handle_;
  const Sends sends_;
  std::uint32_t generation_ = 0;
  State state_ = State::kDown;
  uid_t uid_ = 0;               // as which the daemon knows the connection
  std::uint64_t features_ = 0;  // granted by the Welcome
  bool wants_write_ = false;
  Reason down_reason_ = Reason::kTimeout;  // why questions that expire while kDown got no answer

  WaitDescriptor wait_;
  OwnedFd socket_;
  OwnedFd passed_map_;  // while kGreeting, as the Welcome may come in pieces

  QuestionTable table_;
  QuestionQueue unsent_;
  QuestionQueue completed_;
  std::size_t unanswered_ = 0;  // in the table, but not completed

  Buffer input_;
  std::size_t input_used_ = 0;
  Buffer rest_;  // of a frame that the socket took only in part; its question may have been given
                 // up since
  std::size_t rest_begin_ = 0;
  std::size_t rest_end_ = 0;

  // Times in ns on CLOCK_MONOTONIC.
  std::int64_t earliest_ns_ = INT64_MAX;  // no open question expires before
  std::int64_t armed_ns_ = INT64_MAX;     // as the timer is set
  std::int64_t retry_at_ns_ = 0;
  std::int64_t restart_until_ns_ = 0;  // a daemon that had welcomed us may be restarting until then
  std::int64_t absent_until_ns_ = 0;   // nobody listening is no answer until then
};

}  // namespace claimsd::client_impl

// The C ABI's name for it.
struct claimsd_stream {
  explicit claimsd_stream(claimsd::client_impl::Handle& handle) : stream(handle) {}
  claimsd::client_impl::Stream stream;
};
