// curl_multi.h: curl's multi interface on a loop: it says when sockets and timers want attention,
// this gives it to them. Fetch thread.
//
// The rules it keeps, each learned from somebody's bug report:
// - Completions are read after *every* action, not only while handles run: the last one to time out
// would be lost otherwise.
// - A time-out of 0 is only noted in curl's timer callback and acted upon outside of it (curl
// #17144).
// - A socket in trouble is reported as readable and writable too: told of the error alone curl
// gives up (CURLE_SEND_ERROR) where it would
//   retry a connection that the server has just closed.
// - Between two requests on one connection its Poll stays started: curl lets go of the socket with
// each answer and wants it again with the next request, which would be three epoll_ctl(2) each
// time. Only of sockets that we opened, since only of those we hear before they are closed.
// - Sockets are closed by us: curl may close one before it says CURL_POLL_REMOVE, or without (curl
// #14976, #16026), and libuv aborts
//   when it finds a closed descriptor among those it polls.
#pragma once

#include <curl/curl.h>

#include <functional>
#include <memory>
#include <optional>
#include <unordered_map>
#include <unordered_set>

#include "daemon/log/log.h"
#include "daemon/loop/kernel_timer.h"
#include "daemon/loop/loop.h"
#include "daemon/loop/poll.h"

namespace claimsd::daemon {

class CurlMulti {
 public:
  // Once for each transfer that ended by itself, never from within add() at the top level of a
  // callback chain other than the loop's or add()'s own driving. The handle has left the multi by
  // then.
  using Done = std::function<void(CURL* easy, CURLcode code)>;

  // Keeps up to `pool` idle connections.
  static Result<std::unique_ptr<CurlMulti>> create(Loop& loop, long pool, Log& log, Done done);
  ~CurlMulti();
  CurlMulti(const CurlMulti&) = delete;
  CurlMulti& operator=(const CurlMulti&) = delete;

  // Before an easy handle is added for the first time. From then on this opens and closes its
  // sockets.
  CURLcode attach(CURL* easy);
  // Starts it, as far as it goes without waiting. False: it is not added and Done will not be
  // called.
  bool add(CURL* easy);
  // Ends a running transfer without Done; its connection is closed.
  void remove(CURL* easy);

 private:
  struct Watched {
    Poll poll;
    int wanted = CURL_POLL_NONE;   // by curl
    int started = CURL_POLL_NONE;  // what the Poll looks for
  };
  struct Cleanup {
    void operator()(CURLM* multi) const { curl_multi_cleanup(multi); }
  };

  CurlMulti(Loop& loop, Log& log, Done done);
  static int on_socket(CURL* easy, curl_socket_t fd, int what, void* self, void* unused);
  static int on_timer(CURLM* multi, long timeout_ms, void* self);
  static curl_socket_t on_open(void* self, curlsocktype purpose, curl_sockaddr* to);
  static int on_close(void* self, curl_socket_t fd);
  int watch(curl_socket_t fd, int what);
  void unwatch(curl_socket_t fd);
  Result<Watched*> watched(curl_socket_t fd);
  void ready(curl_socket_t fd, const PollEvents& events);
  void wake_at(Duration due);
  void wake();
  void act(curl_socket_t fd, int events);
  void call(curl_socket_t fd, int events);
  void report();

  Loop& loop_;
  Log& log_;
  Done done_;
  std::optional<KernelTimer> timer_;  // never stopped: it may go off too early, for nothing
  Duration armed_{};                  // when it goes off; Loop::hrtime(), as the next
  std::optional<Duration> due_;       // when curl wants to be called
  bool kicked_ = false;               // curl asked to be called at once
  bool driving_ = false;              // act() is on the stack
  std::unordered_map<curl_socket_t, Watched> polls_;
  std::unordered_set<curl_socket_t> opened_;  // by on_open(), and not closed yet
  std::unique_ptr<CURLM, Cleanup>
      multi_;  // last: goes first, and closes its sockets through the rest
};

}  // namespace claimsd::daemon
