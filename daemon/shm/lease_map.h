// lease_map.h: the shared map of leases as the daemon runs it: made at the start, kept alive by a
// heartbeat from the loop, taken leave of at the end. Or the lack of it: where it is switched off
// or cannot be made, every question comes over the socket.
//
// Who maps it can read on, whatever becomes of their connection. So where somebody may not ask any
// more, another map takes its place, and nobody believes the old one.
//
// Owned by the composition root, destroyed before the Loop. Loop thread. After a crash of the
// daemon before, acknowledgements of purges and revocations wait until
// acknowledgements_held_until().
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "daemon/log/log.h"
#include "daemon/loop/kernel_timer.h"
#include "daemon/shm/lease_publisher.h"
#include "daemon/shm/lease_status.h"
#include "daemon/shm/map_marker.h"

namespace claimsd::daemon {

struct FastPathSettings {
  bool on = true;
  std::uint64_t slots = 0;
  std::string directory;  // the cache's, which is locked for this daemon
  std::string boot_id;
};

class FastPath {
 public:
  // Never fails: without the map the daemon only is slower, and the log says why.
  static std::unique_ptr<FastPath> create(const FastPathSettings& settings, Loop& loop,
                                          Clock& clock, Random& random, Log& log);
  ~FastPath() { stop(); }
  FastPath(const FastPath&) = delete;
  FastPath& operator=(const FastPath&) = delete;

  Publisher& publisher() { return current_; }
  // To pass on to workers; -1: there is none.
  int descriptor() const { return map_ ? map_->descriptor() : -1; }
  // Nobody may be told that a purge or revocation is in effect before; min: at once.
  BootTime acknowledgements_held_until() const { return held_until_; }
  LeaseStatus status() const;

  // Another map, empty, with other keys; there is none where that fails, and the log says why.
  // What descriptor() gives is to be passed on anew.
  void replace();

  // Nobody believes the map from here on. Before the sockets close.
  void stop();

 private:
  // To the map of the moment.
  class Current final : public Publisher {
   public:
    void publish(UpstreamId upstream, std::string_view token, const TokenKey& key,
                 const Entry& entry, const LeaseEnd& end) override {
      to_->publish(upstream, token, key, entry, end);
    }
    BootTime shown_until(const TokenKey& key) const override { return to_->shown_until(key); }
    void withdraw(const TokenKey& key) override { to_->withdraw(key); }
    void withdraw_user(UpstreamId upstream, std::string_view user) override {
      to_->withdraw_user(upstream, user);
    }
    void withdraw_all() override { to_->withdraw_all(); }
    void set(Publisher* to) { to_ = to == nullptr ? &nobody_ : to; }

   private:
    NoPublisher nobody_;
    Publisher* to_ = &nobody_;
  };

  FastPath(FastPathSettings settings, Loop& loop, Clock& clock, Random& random, Log& log);
  void open_or_do_without();
  Status open();
  void close();

  FastPathSettings settings_;
  Loop& loop_;
  Clock& clock_;
  Random& random_;
  Log& log_;
  MapMarker marker_;
  BootTime held_until_;
  std::optional<SharedMap> map_;
  std::unique_ptr<LeasePublisher> leases_;
  LeaseCounters earlier_;  // of the maps before
  Current current_;
  std::optional<KernelTimer> heartbeat_;
  bool stopped_ = false;
};

}  // namespace claimsd::daemon
