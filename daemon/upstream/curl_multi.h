// curl_multi.h: runs curl's multi interface on a loop: curl says which sockets and timers it needs,
// this class watches them and calls curl. Owned by Connections; thread of its loop.
//
// Rules, each from a bug report:
// - Read completions after *every* action, not only while transfers run. Otherwise the last one to
//   time out is lost.
// - curl's timer callback only records a timeout of 0. The action follows outside of the callback
//   (curl #17144).
// - A socket with an error is also reported as readable and writable. If curl sees the error
//   alone, it fails with CURLE_SEND_ERROR instead of retrying a connection that the server closed.
// - The Poll stays started between two requests on one connection. curl releases the socket after
//   each response and requests it again, which costs three epoll_ctl(2) each time. Only for sockets
//   that we opened, because we learn of their close before it happens.
// - When curl gives up an address, it tries the next one only when called again, for which it sets
//   no timer. So it is called then. If the address did not answer, curl has closed the socket
//   itself, and only CURL_POLL_REMOVE says so.
// - libcurl 7.88 ignores CURL_SOCKOPT_ALREADY_CONNECTED and connects a second time. So curl connects
//   to a Unix socket, and the peer is checked before the first request.
// - We close connected sockets. curl may close one before CURL_POLL_REMOVE, or without it (curl
//   #14976, #16026), and libuv aborts on a closed descriptor in its poll set.
#pragma once

#include <curl/curl.h>

#include <functional>
#include <memory>
#include <optional>
#include <unordered_map>
#include <unordered_set>

#include "daemon/log/log.h"
#include "daemon/loop/loop.h"
#include "daemon/loop/poll.h"
#include "daemon/loop/timer_fd.h"
#include "daemon/upstream/unix_peer.h"

namespace claimsd::upstream {

class CurlMulti {
 public:
  // Called once per transfer that ends by itself, from the loop or from add() while it drives curl.
  // The handle has already been removed from the multi.
  // `age`: of the connection that was used; if the server has closed it, the longest possible.
  using Done = std::function<void(CURL* easy, CURLcode code, Duration age)>;

  // Keeps up to `pool` idle connections. `peer`: checks who listens on a Unix socket and outlives
  // this object; null for other URLs.
  static Result<std::unique_ptr<CurlMulti>> create(loop::Loop& loop, long pool, Log& log, Done done,
                                                   const UnixPeer* peer = nullptr);
  ~CurlMulti();
  CurlMulti(const CurlMulti&) = delete;
  CurlMulti& operator=(const CurlMulti&) = delete;

  // Call before an easy handle is added for the first time. From then on this class opens and
  // closes its sockets.
  CURLcode attach(CURL* easy);
  // Starts the transfer and drives it as far as possible without waiting. False: it was not added
  // and Done will not be called.
  bool add(CURL* easy);
  // Cancels a running transfer without Done; its connection is closed.
  void remove(CURL* easy);

 private:
  struct Watched {
    loop::Poll poll;
    int wanted = CURL_POLL_NONE;   // by curl
    int started = CURL_POLL_NONE;  // the events its Poll watches
  };
  struct Cleanup {
    void operator()(CURLM* multi) const { curl_multi_cleanup(multi); }
  };

  CurlMulti(loop::Loop& loop, Log& log, Done done);
  static int on_socket(CURL* easy, curl_socket_t fd, int what, void* self, void* unused);
  static int on_timer(CURLM* multi, long timeout_ms, void* self);
  static curl_socket_t on_open(void* self, curlsocktype purpose, curl_sockaddr* to);
  static int on_request(void* self, char* peer, char* local, int peer_port, int local_port);
  static int on_close(void* self, curl_socket_t fd);
  bool check_peers();
  int watch(curl_socket_t fd, int what);
  void unwatch(curl_socket_t fd);
  void forget(curl_socket_t fd);
  Result<Watched*> watched(curl_socket_t fd);
  void ready(curl_socket_t fd, const loop::PollEvents& events);
  void wake_at(Duration due);
  void wake();
  void act(curl_socket_t fd, int events);
  void call(curl_socket_t fd, int events);
  void report();
  void nudge();
  void call_all();
  Duration age_of(CURL* easy) const;

  loop::Loop& loop_;
  Log& log_;
  Done done_;
  const UnixPeer* peer_ = nullptr;
  std::optional<loop::TimerFd> timer_;  // never stopped: an early expiry does nothing
  Duration armed_{};                    // when timer_ expires; Loop::hrtime(), like due_
  std::optional<Duration> due_;         // when curl wants to be called
  bool kicked_ = false;                 // curl asked to be called immediately
  bool driving_ = false;                // act() is on the stack
  std::optional<loop::TimerFd> nudge_;  // active after an address was given up
  std::unordered_map<curl_socket_t, Watched> polls_;
  std::unordered_map<curl_socket_t, Duration> opened_;  // by on_open(), when; not closed yet
  std::unordered_set<curl_socket_t> connecting_;        // of these, those not connected yet
  std::unordered_set<curl_socket_t> unchecked_;         // of these, those whose peer is unknown
  std::unique_ptr<CURLM, Cleanup>
      multi_;  // last, so destroyed first: closes sockets through the rest
};

}  // namespace claimsd::upstream
