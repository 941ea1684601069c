// stream.h: many concurrent queries and reports over one non-blocking connection, for event loops.
// Behind claimsd_stream in claimsd.h.
//
// The descriptor that the caller waits on stays while the socket in it comes and goes. A timer in
// it makes it readable for deadlines, retries and answers made without the daemon. A stream of
// reports that no caller waits for has a socket and no such descriptor.
//
//   kDown ───query────▶ kGreeting (Hello sent) ──Welcome──▶ kUp
//     ▲                      │                               │
//     └──────────────────────┴───────── hung up ─────────────┘
//
// Queries that were open when the connection broke are sent again, each once.
//
// One thread at a time; claimsd_stream has the lock. Owned by the caller. Does not survive fork():
// its epoll instance is shared with the parent, so inherited() streams do nothing.
#pragma once

#include "client/src/answer.h"
#include "client/src/handle.h"
#include "client/src/query_request.h"
#include "client/src/query_table.h"
#include "client/src/report_request.h"
#include "client/src/wait_descriptor.h"

namespace claimsd::client {

class Stream {
 public:
  // kBehindHello sends without waiting for the Welcome, unless an earlier one did not grant
  // reports. The report is then on its way without a further call.
  enum class Sends : std::uint8_t { kOnceWelcome, kBehindHello };

  explicit Stream(Handle& handle, Sends sends = Sends::kOnceWelcome)
      : handle_(handle), sends_(sends) {}
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;
  // Reports without a receipt count as lost.
  ~Stream();

  claimsd_result create();

  int fd() const { return wait_.fd(); }
  bool inherited() { return !handle_.enter() || handle_.generation() != generation_; }
  std::size_t pending() const { return table_.size(); }

  claimsd_result send(const claimsd_query_request* request, std::uint64_t tag);
  claimsd_result report(const claimsd_report_request* report_request, std::uint64_t tag);
  claimsd_result report(ReportRequest report_request, std::uint64_t tag);
  claimsd_result receive(std::uint64_t* tag, claimsd_answer** out);
  // Cancels queries, not reports: one that was sent may be recorded already.
  claimsd_result cancel(std::uint64_t tag);

  // In a forked child: what is open is the parent's. Only its destructor may follow.
  void abandon() {
    wait_.close();
    socket_.close();
    unanswered_ = 0;
  }

 private:
  friend struct StreamFrames;
  enum class State : std::uint8_t { kDown, kGreeting, kUp };

  // Processes timers and socket events.
  void drive();

  bool renew_connection();
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
  OpenQuery* open(Message message, std::uint64_t tag, Deadline deadline);
  void enqueue(OpenQuery& request, std::int64_t now);
  void record(OpenQuery& report);
  void count_outcome(const OpenQuery& report);
  void withdraw_reports();
  void finish(OpenQuery& request, const LookupResult& found);
  void complete(OpenQuery& request, claimsd_answer* answer);
  // Call it before finish(), which relinks a query into another queue.
  template <class Is>
  void remove_unsent(Is&& is_meant) {
    QueryQueue queued = unsent_;
    unsent_ = {};
    while (OpenQuery* const request = queued.pop()) {
      if (!is_meant(*request)) unsent_.push(request);
    }
  }
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
  Reason down_reason_ = Reason::kTimeout;  // of queries that expire while kDown

  WaitDescriptor wait_;
  OwnedFd socket_;
  OwnedFd passed_map_;  // while kGreeting, as the Welcome may come in pieces

  QueryTable table_;
  QueryQueue unsent_;
  QueryQueue completed_;
  std::size_t unanswered_ = 0;  // in the table, but not completed

  Buffer input_;
  std::size_t input_used_ = 0;
  Buffer rest_;  // of a frame that was sent in part; its query may be completed already
  std::size_t rest_begin_ = 0;
  std::size_t rest_end_ = 0;

  // Times in ns on CLOCK_MONOTONIC.
  std::int64_t earliest_ns_ = INT64_MAX;  // no open query expires before
  std::int64_t armed_ns_ = INT64_MAX;     // as the timer is set
  std::int64_t retry_at_ns_ = 0;
  std::int64_t restart_until_ns_ = 0;  // a daemon that had welcomed us may be restarting until then
  std::int64_t absent_until_ns_ = 0;   // a socket without a listener is retried until then
};

}  // namespace claimsd::client

// The C ABI's name for a Stream, with a lock and a reference to the handle.
struct claimsd_stream {
  explicit claimsd_stream(claimsd_handle& of) : handle(claimsd_retain(&of)), stream(of.handle) {}
  claimsd_stream(const claimsd_stream&) = delete;
  claimsd_stream& operator=(const claimsd_stream&) = delete;
  ~claimsd_stream() = default;

  claimsd_handle* const handle;
  mutable claimsd::client::Mutex mutex;
  claimsd::client::Stream stream;
};
