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
// - Sockets are closed by us: curl may close one before it says CURL_POLL_REMOVE, or without (curl
// #14976, #16026), and libuv aborts
//   when it finds a closed descriptor among those it polls.
#pragma once

#include <curl/curl.h>

#include <functional>
#include <memory>
#include <unordered_map>

#include "daemon/base/log.h"
#include "daemon/loop/loop.h"
#include "daemon/loop/poll.h"
#include "daemon/loop/timer.h"

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

  // Before an easy handle is added for the first time.
  CURLcode attach(CURL* easy);
  // Starts it, as far as it goes without waiting. False: it is not added and Done will not be
  // called.
  bool add(CURL* easy);
  // Ends a running transfer without Done; its connection is closed.
  void remove(CURL* easy);

 private:
  struct Cleanup {
    void operator()(CURLM* multi) const { curl_multi_cleanup(multi); }
  };

  CurlMulti(Loop& loop, Log& log, Done done);
  static int on_socket(CURL* easy, curl_socket_t fd, int what, void* self, void* unused);
  static int on_timer(CURLM* multi, long timeout_ms, void* self);
  static int on_close(void* self, curl_socket_t fd);
  int watch(curl_socket_t fd, int what);
  void act(curl_socket_t fd, int events);
  void call(curl_socket_t fd, int events);
  void report();

  Loop& loop_;
  Log& log_;
  Done done_;
  Timer timer_;
  bool kicked_ = false;   // curl asked to be called at once
  bool driving_ = false;  // act() is on the stack
  // By descriptor; kept for the next connection of that number, stopped.
  std::unordered_map<curl_socket_t, Poll> polls_;
  std::unique_ptr<CURLM, Cleanup>
      multi_;  // last: goes first, and closes its sockets through the rest
};

}  // namespace claimsd::daemon
