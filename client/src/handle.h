// handle.h: the object behind claimsd_handle: daemon address, client name, connection pool, local
// lookup and counters.
//
// Any thread, except for creation and destruction. Immutable after create(), apart from the pool,
// the local lookup, the time of the last loss and the counters, which synchronize themselves.
#pragma once

#include <atomic>

#include "client/include/claimsd.h"
#include "client/src/async_reporter.h"
#include "client/src/cancel_disabled.h"
#include "client/src/fork_guard.h"
#include "client/src/local_lookup.h"
#include "client/src/memory.h"
#include "client/src/pool.h"
#include "client/src/references.h"
#include "client/src/report_counts.h"
#include "client/src/socket.h"

namespace claimsd::client {

// How long a daemon that was there a moment ago may take to be back (a restart without socket
// activation), and how often we look.
inline constexpr std::int64_t kRestartWindowNs = kNanosPerSecond;
// Least time between two queries that say how many lookups this process answered itself.
inline constexpr std::int64_t kLocalHitsIntervalNs = kNanosPerSecond;
inline constexpr std::int64_t kRestartPauseNs = 5 * kNanosPerMilli;
// The delay before the map is requested again after there was no descriptor or memory for it.
inline constexpr std::int64_t kMapRetryNs = kNanosPerSecond;

class Handle {
 public:
  Handle() = default;
  // Returns the result of claimsd_open(). Unless that is CLAIMSD_OK, sets `problem` to the reason.
  claimsd_result create(const claimsd_options& options, const char*& problem);

  References& references() { return references_; }

  // To be called first by every use of the handle: drops what a forked child inherited. False when
  // the child has no resources to notice its own forks: then nothing of the handle may be used.
  bool enter() {
    return guard_.enter([this] {
      const CancelDisabled cancel_disabled;
      pool_.abandon();
      local_lookup_.abandon();
      socket_queries_ = 0;
      taken_hits_ = 0;
      reports_.forget();
      async_reporter_.abandon();
      references_.forget_calls();
    });
  }

  const DaemonAddress& address() const { return address_; }
  Introduction introduction() const {
    return {local_lookup_.features() | proto::kFeatureReports, client_name_, upstream_url_};
  }
  std::uint32_t timeout_ms() const { return timeout_ms_; }
  Pool& pool() { return pool_; }
  LocalLookup& local_lookup() { return local_lookup_; }
  std::uint32_t generation() const { return guard_.generation(); }

  void count_socket_query() { socket_queries_.fetch_add(1, std::memory_order_relaxed); }
  // For the next query: the lookups that this process answered itself since the last call that did not
  // return 0. Counting costs microseconds, so most calls return 0.
  std::uint32_t take_local_hits(std::int64_t now);
  ReportCounts& reports() { return reports_; }
  AsyncReporter& async_reporter() { return async_reporter_; }
  void count(claimsd_statistics& out) const;

  // A connection that had been welcomed broke: the daemon is gone or restarting, and older
  // connections are no better.
  void note_loss(std::int64_t now) { lost_at_ns_.store(now, std::memory_order_relaxed); }
  // The socket has no listener. The first such result after a Welcome also counts as a loss: with
  // answers from the map, no other query may have noticed that the daemon stopped.
  void note_absence(std::int64_t now) {
    if (!welcomed_.load(std::memory_order_acquire)) return;
    note_loss(now);
    welcomed_.store(false, std::memory_order_release);
  }
  void welcome(const proto::Welcome& message, OwnedFd map);
  // False once a daemon has not granted them, until one does.
  bool may_take_reports() const { return may_take_reports_.load(std::memory_order_relaxed); }
  bool is_stale(const Connection& connection) const {
    return connection.established_ns() < lost_at_ns_.load(std::memory_order_relaxed);
  }
  // The user as which the calling thread acts now. When that changed, the map is given up: the
  // daemon may not grant it to the new user.
  uid_t current_uid();
  // True now and then, for one caller, while a map is missing that the daemon did pass: only a new
  // connection brings it again.
  bool should_fetch_map();
  std::int64_t restart_window_end() const {
    return lost_at_ns_.load(std::memory_order_relaxed) + kRestartWindowNs;
  }

 private:
  References references_;
  ForkGuard guard_;
  Pool pool_;
  LocalLookup local_lookup_;
  DaemonAddress address_;
  char client_name_[proto::kMaxName + 1]{};
  char upstream_url_[proto::kMaxUrl + 1]{};
  std::uint32_t timeout_ms_ = 0;
  std::atomic<std::int64_t> lost_at_ns_{-kRestartWindowNs};
  std::atomic<bool> welcomed_{false};  // since the socket last had no listener
  std::atomic<bool> may_take_reports_{true};
  std::atomic<std::int64_t> fetch_map_at_ns_{INT64_MAX};
  std::atomic<uid_t> uid_{0};
  std::atomic<std::uint64_t> socket_queries_{0};
  std::atomic<std::uint64_t> taken_hits_{0};  // take_local_hits()
  std::atomic<std::int64_t> count_hits_at_ns_{0};
  ReportCounts reports_;
  AsyncReporter async_reporter_{*this};  // the last: at its end it counts what is lost
};

}  // namespace claimsd::client

// The C ABI's name for it.
struct claimsd_handle {
  claimsd::client::Handle handle;
};

namespace claimsd::client {

// Frees a handle that has no reference left.
void destroy(Handle& handle);

// Keeps the handle for the length of a blocking call, so that claimsd_close() may be called
// meanwhile.
class InUse {
 public:
  explicit InUse(Handle& handle) : handle_(handle) { handle_.references().add_call(); }
  InUse(const InUse&) = delete;
  InUse& operator=(const InUse&) = delete;
  ~InUse() {
    if (handle_.references().remove_call()) destroy(handle_);
  }

 private:
  Handle& handle_;
};

}  // namespace claimsd::client
