#include "daemon/fast_path.h"

namespace claimsd::daemon {

FastPath::FastPath(const FastPathSettings& settings, Clock& clock)
    : clock_(clock),
      marker_(settings.directory),
      held_until_(marker_.old_map_ends(clock.now().boot).value_or(BootTime::min())) {}

std::unique_ptr<FastPath> FastPath::create(const FastPathSettings& settings, Loop& loop,
                                           Clock& clock, Random& random, Log& log) {
  std::unique_ptr<FastPath> made(new FastPath(settings, clock));
  if (made->held_until_ != BootTime::min()) {
    log.warning("unclean_stop",
                "the daemon before this one was killed: workers may believe its leases for up to "
                "{} s, so purges and revocations are acknowledged after that",
                proto::kHeartbeatLimit / 1'000'000'000);
  }
  if (!settings.on) return made;
  if (const Status opened = made->open(settings, loop, random); !opened) {
    log.warning("fast_path_off", "every question comes over the socket: {}",
                opened.error().message);
    made->heartbeat_.reset();
    made->leases_.reset();
    made->map_.reset();
  }
  return made;
}

Status FastPath::open(const FastPathSettings& settings, Loop& loop, Random& random) {
  proto::MapId map_id{};
  random.fill(map_id.data(), map_id.size());
  map_.emplace(TRY(SharedMap::create(settings.slots, map_id, parse_boot_id(settings.boot_id))));
  leases_ = TRY(LeasePublisher::create(map_->memory(), clock_, random));
  heartbeat_.emplace(TRY(KernelTimer::create(loop, [this] { leases_->heartbeat(); })));
  TRY(marker_.set());
  heartbeat_->start(Duration(proto::kHeartbeatInterval), Duration(proto::kHeartbeatInterval));
  return {};
}

Publisher& FastPath::publisher() {
  if (leases_) return *leases_;
  return nobody_;
}

LeaseStatus FastPath::status() const {
  LeaseStatus status;
  if (!leases_) return status;
  status.slots = leases_->slots();
  status.used = leases_->used();
  status.epoch = leases_->epoch();
  status.counters = leases_->counters();
  return status;
}

void FastPath::stop() {
  if (stopped_) return;
  stopped_ = true;
  heartbeat_.reset();
  if (leases_) leases_->stop();
  // As long as an older map may be believed, the next daemon has to know.
  if (held_until_ <= clock_.now().boot) marker_.remove();
}

}  // namespace claimsd::daemon
