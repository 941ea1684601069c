#include "daemon/shm/lease_map.h"

namespace claimsd::shm {
namespace {

LeaseCounters sum(LeaseCounters all, const LeaseCounters& more) {
#define CLAIMSD_ADD(name, help) all.name += more.name;
  CLAIMSD_LEASE_COUNTERS(CLAIMSD_ADD)
#undef CLAIMSD_ADD
  return all;
}

}  // namespace

LeaseMap::LeaseMap(LeaseMapSettings settings, loop::Loop& loop, Clock& clock, Random& random,
                   Log& log)
    : settings_(std::move(settings)),
      loop_(loop),
      clock_(clock),
      random_(random),
      log_(log),
      marker_(settings_.directory),
      held_until_(marker_.old_map_ends(clock.now().boot).value_or(BootTime::min())) {}

std::unique_ptr<LeaseMap> LeaseMap::create(const LeaseMapSettings& settings, loop::Loop& loop,
                                           Clock& clock, Random& random, Log& log) {
  std::unique_ptr<LeaseMap> made(new LeaseMap(settings, loop, clock, random, log));
  if (made->held_until_ != BootTime::min()) {
    log.warning("unclean_stop",
                "the previous daemon was killed: workers may use its leases for up to {} s, so "
                "purges and revocations are acknowledged only after that",
                proto::kHeartbeatLimit / 1'000'000'000);
  }
  if (settings.on) made->open_or_do_without();
  return made;
}

void LeaseMap::open_or_do_without() {
  if (const Status opened = open(); !opened) {
    log_.warning("shared_memory_off", "every query goes over the socket: {}",
                 opened.error().message);
    close();
  }
}

Status LeaseMap::open() {
  proto::MapId map_id{};
  random_.fill(map_id.data(), map_id.size());
  map_.emplace(TRY(SharedMap::create(settings_.slots, map_id, parse_boot_id(settings_.boot_id))));
  leases_ = TRY(LeasePublisher::create(map_->memory(), clock_, random_, settings_.fingerprinter));
  heartbeat_.emplace(TRY(loop::TimerFd::create(loop_, [this] { leases_->heartbeat(); })));
  TRY(marker_.set());
  heartbeat_->start(Duration(proto::kHeartbeatInterval), Duration(proto::kHeartbeatInterval));
  current_.set(leases_.get());
  return {};
}

void LeaseMap::close() {
  current_.set(nullptr);
  heartbeat_.reset();
  if (leases_) earlier_ = sum(earlier_, leases_->counters());
  leases_.reset();
  map_.reset();
}

void LeaseMap::replace() {
  if (!leases_ || stopped_) return;
  leases_->stop();
  close();
  open_or_do_without();
}

LeaseStatus LeaseMap::status() const {
  LeaseStatus status{.wanted = settings_.on, .unclean_start = held_until_ != BootTime::min()};
  status.counters = earlier_;
  if (!leases_) return status;
  status.slots = leases_->slots();
  status.used = leases_->used();
  status.epoch = leases_->epoch();
  status.counters = sum(earlier_, leases_->counters());
  return status;
}

void LeaseMap::stop() {
  if (stopped_) return;
  stopped_ = true;
  heartbeat_.reset();
  if (leases_) leases_->stop();
  // Keep the marker while an older map may be trusted, so that the next daemon waits too.
  if (held_until_ <= clock_.now().boot) marker_.remove();
}

}  // namespace claimsd::shm
