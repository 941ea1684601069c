// lease_map.h: the daemon's shared map of leases: created at start, kept alive by a heartbeat from
// the loop, marked dead at the end. If it is off or cannot be created, every query uses the socket.
//
// A worker that has mapped it can read it even after its connection is closed. So when a worker
// loses access, a new map replaces the old one, and the old one is marked dead.
//
// Owned by the composition root, destroyed before the Loop; loop thread. After a crash of the
// previous daemon, acknowledgements of purges and revocations wait until
// acknowledgements_held_until().
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "daemon/log/log.h"
#include "daemon/loop/timer_fd.h"
#include "daemon/shm/lease_publisher.h"
#include "daemon/shm/lease_status.h"
#include "daemon/shm/map_marker.h"

namespace claimsd::shm {

struct LeaseMapSettings {
  bool on = true;
  std::uint64_t slots = 0;
  std::string directory;  // the cache directory, locked for this daemon
  std::string boot_id;
  claims::Fingerprinter* fingerprinter = nullptr;  // with a fleet (slot_directory.h)
};

class LeaseMap {
 public:
  // Never fails: without the map the daemon is only slower. The log has the reason.
  static std::unique_ptr<LeaseMap> create(const LeaseMapSettings& settings, loop::Loop& loop,
                                          Clock& clock, Random& random, Log& log);
  ~LeaseMap() { stop(); }
  LeaseMap(const LeaseMap&) = delete;
  LeaseMap& operator=(const LeaseMap&) = delete;

  claims::Publisher& publisher() { return current_; }
  // Descriptor to pass to workers; -1: no map.
  int descriptor() const { return map_ ? map_->descriptor() : -1; }
  // Do not acknowledge a purge or revocation before this time; minimum: no wait.
  BootTime acknowledgements_held_until() const { return held_until_; }
  LeaseStatus status() const;

  // Replaces the map with a new, empty one under other keys. If that fails there is no map, and the
  // log has the reason. Pass descriptor() to workers again.
  void replace();

  // Marks the map dead. Call before the sockets close.
  void stop();

 private:
  // Forwards to the current map.
  class Current final : public claims::Publisher {
   public:
    void publish(claims::UpstreamId upstream, std::string_view token, const claims::TokenKey& key,
                 const claims::Entry& entry, const claims::LeaseEnd& end) override {
      to_->publish(upstream, token, key, entry, end);
    }
    BootTime published_until(const claims::TokenKey& key) const override {
      return to_->published_until(key);
    }
    void withdraw(const claims::TokenKey& key) override { to_->withdraw(key); }
    bool withdraw_token(std::string_view token) override { return to_->withdraw_token(token); }
    void withdraw_user(claims::UpstreamId upstream, std::string_view user) override {
      to_->withdraw_user(upstream, user);
    }
    void withdraw_token_named(const claims::TokenKey& fingerprint) override {
      to_->withdraw_token_named(fingerprint);
    }
    void withdraw_user_named(const claims::TokenKey& fingerprint) override {
      to_->withdraw_user_named(fingerprint);
    }
    void withdraw_all() override { to_->withdraw_all(); }
    void set(claims::Publisher* to) { to_ = to == nullptr ? &nobody_ : to; }

   private:
    claims::NoPublisher nobody_;
    claims::Publisher* to_ = &nobody_;
  };

  LeaseMap(LeaseMapSettings settings, loop::Loop& loop, Clock& clock, Random& random, Log& log);
  void open_or_do_without();
  Status open();
  void close();

  LeaseMapSettings settings_;
  loop::Loop& loop_;
  Clock& clock_;
  Random& random_;
  Log& log_;
  MapMarker marker_;
  BootTime held_until_;
  std::optional<SharedMap> map_;
  std::unique_ptr<LeasePublisher> leases_;
  LeaseCounters earlier_;  // of earlier maps
  Current current_;
  std::optional<loop::TimerFd> heartbeat_;
  bool stopped_ = false;
};

}  // namespace claimsd::shm
