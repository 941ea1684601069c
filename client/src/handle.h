// handle.h: what claimsd_open() makes: whom to ask, how to introduce oneself, the connections, and
// what is known without asking.
//
// Any thread, but for its making and unmaking. Immutable after create(), apart from the guarded
// pool, the fast path, the moment of the last loss and counters.
#pragma once

#include <atomic>

#include "client/include/claimsd.h"
#include "client/src/cancel_disabled.h"
#include "client/src/fast_path.h"
#include "client/src/fork_guard.h"
#include "client/src/memory.h"
#include "client/src/pool.h"
#include "client/src/report_counts.h"
#include "client/src/report_lane.h"
#include "client/src/socket.h"

namespace claimsd::client_impl {

// How long a daemon that was there a moment ago may take to be back (a restart without socket
// activation), and how often we look.
inline constexpr std::int64_t kRestartWindowNs = kNanosPerSecond;
inline constexpr std::int64_t kRestartPauseNs = 5 * kNanosPerMilli;
// How often a map is asked for again that this process had no descriptor or memory for.
inline constexpr std::int64_t kMapRetryNs = kNanosPerSecond;

class Handle {
 public:
  enum class Made : std::uint8_t { kYes, kBadArgument, kNoMemory, kNoForkGuard };

  Handle() = default;
  Made create(const claimsd_options& options);

  // To be called first by every use of the handle: drops what a forked child inherited. False when
  // the child has no resources to notice its own forks: then nothing of the handle may be used.
  bool enter() {
    return guard_.enter([this] {
      const CancelDisabled cancel_disabled;
      pool_.abandon();
      fast_path_.abandon();
      socket_questions_ = 0;
      reports_.forget();
      report_lane_.abandon();
    });
  }

  const DaemonAddress& address() const { return address_; }
  Introduction introduction() const {
    return {fast_path_.features() | proto::kFeatureReports, client_name_, upstream_url_};
  }
  std::uint32_t timeout_ms() const { return timeout_ms_; }
  Pool& pool() { return pool_; }
  FastPath& fast_path() { return fast_path_; }
  std::uint32_t generation() const { return guard_.generation(); }

  void count_socket_question() { socket_questions_.fetch_add(1, std::memory_order_relaxed); }
  ReportCounts& reports() { return reports_; }
  ReportLane& report_lane() { return report_lane_; }
  void count(claimsd_statistics& out) const;

  // A connection that had been welcomed broke: the daemon is gone or restarting, and older
  // connections are no better.
  void note_loss(std::int64_t now) { lost_at_ns_.store(now, std::memory_order_relaxed); }
  // Nobody listens. Whoever hits upon it first after a welcome has found the loss, too: with
  // answers out of the map nothing else may have been asked of the daemon that went.
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
  ForkGuard guard_;
  Pool pool_;
  FastPath fast_path_;
  DaemonAddress address_;
  char client_name_[proto::kMaxName + 1]{};
  char upstream_url_[proto::kMaxUrl + 1]{};
  std::uint32_t timeout_ms_ = 0;
  std::atomic<std::int64_t> lost_at_ns_{-kRestartWindowNs};
  std::atomic<bool> welcomed_{false};  // since nobody was found to listen
  std::atomic<bool> may_take_reports_{true};
  std::atomic<std::int64_t> fetch_map_at_ns_{INT64_MAX};
  std::atomic<uid_t> uid_{0};
  std::atomic<std::uint64_t> socket_questions_{0};
  ReportCounts reports_;
  ReportLane report_lane_{*this};  // the last: at its end it counts what is lost
};

}  // namespace claimsd::client_impl

// The C ABI's name for it.
struct claimsd_handle {
  claimsd::client_impl::Handle handle;
};
