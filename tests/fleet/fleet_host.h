// fleet_host.h: a host of a fleet without a daemon: the replica, its bus, and rules in memory. For
// tests and the bench with a real Redis server.
#pragma once

#include <map>
#include <set>

#include "daemon/fleet/bus_thread.h"
#include "daemon/fleet/replica.h"
#include "daemon/loop/timer.h"

namespace claimsd::fleet {

class FleetHost final : public LocalRules {
 public:
  FleetHost(loop::Loop& loop, const std::string& name, redis::Settings servers,
            WhenLost join = WhenLost::kUnavailable)
      : timer_(loop, [this] { replica_->tick(clock_.now()); }) {
    random_.fill(id_.bytes.data(), id_.bytes.size());
    bus_ = BusThread::create({.fleet = "test", .servers = std::move(servers)}, loop, clock_,
                             [this](BusEvent&& event) { take(event); })
               .value();
    std::vector<Secret> keys;
    keys.emplace_back(std::string_view("0123456789abcdef0123456789abcdef"));
    // A host that founds a fleet waits for ten seconds, one that was current before does not.
    const bool was_current = join == WhenLost::kServe;
    replica_ = Replica::create({.fleet = "test",
                                .host = id_,
                                .host_name = name,
                                .version = "test",
                                .join = join,
                                .was_current_at =
                                    was_current ? std::optional(clock_.now().wall) : std::nullopt},
                               keys, *bus_, *this, random_)
                   .value();
    timer_.start(kTick, kTick);
  }

  // An order on this host: revokes a user for an hour.
  claims::ActionId revoke() {
    const Now now = clock_.now();
    claims::Rule rule;
    random_.fill(rule.key.action.bytes.data(), rule.key.action.bytes.size());
    random_.fill(rule.name.subject.bytes.data(), rule.name.subject.bytes.size());
    rule.name.kind = claims::RuleKind::kUser;
    rule.made_at = now;
    rule.not_before = replica_->action_time(now);
    rule.ends = claims::end_after(now, std::chrono::hours(1));
    rule.without_iat_ends = rule.ends;
    rule.author = id_;
    apply(std::vector{rule});
    replica_->share({.rules = {rule}}, now);
    return rule.key.action;
  }
  void withdraw(const claims::ActionId& action) {
    const Now now = clock_.now();
    const claims::Withdrawal made{.action = action,
                                  .made_at = now,
                                  .ends = claims::end_after(now, std::chrono::hours(1)),
                                  .author = id_};
    apply(made);
    replica_->share({.withdrawals = {made}}, now);
  }

  bool apply(const std::vector<claims::Rule>& rules) override {
    for (const claims::Rule& rule : rules) rules_.insert(rule.key.action);
    durable_.emplace_back(rules.front().key.action, false);
    return true;
  }
  bool apply(const claims::Withdrawal& withdrawal) override {
    withdrawn_.insert(withdrawal.action);
    durable_.emplace_back(withdrawal.action, true);
    return true;
  }
  void remember_current(WallTime) override {}

  // Whether the rule is in force here.
  bool holds(const claims::ActionId& action) const {
    return rules_.count(action) != 0 && withdrawn_.count(action) == 0;
  }
  bool is_withdrawn(const claims::ActionId& action) const { return withdrawn_.count(action) != 0; }
  std::size_t rules() const { return rules_.size(); }
  bool is_current() const { return replica_->status(clock_.now()).currency == Currency::kCurrent; }
  std::size_t unpublished() const { return replica_->status(clock_.now()).unpublished; }
  Replica& replica() { return *replica_; }
  BusThread& bus() { return *bus_; }

 private:
  void take(BusEvent& event) {
    using Kind = BusEvent::Kind;
    const Now now = clock_.now();
    switch (event.kind) {
      case Kind::kConnected: replica_->on_connected(event.time, event.at); break;
      case Kind::kDisconnected: replica_->on_disconnected(now); break;
      case Kind::kRedisTime: replica_->on_redis_time(event.time, event.at); break;
      case Kind::kMessage: replica_->on_message(event.text, now); break;
      case Kind::kPulse: replica_->on_pulse(event.text, now); break;
      case Kind::kItem: replica_->on_item(event.name, event.text, now); break;
      case Kind::kItemsRead: replica_->on_items_read(now); break;
      case Kind::kRow: replica_->on_row(event.name, event.text, now); break;
      case Kind::kRowsRead: replica_->on_rows_read(now); break;
      case Kind::kItemCount: replica_->on_item_count(event.number, now); break;
      case Kind::kWriteRefused: break;
    }
    for (const auto& [action, is_withdrawal] : std::exchange(durable_, {}))
      replica_->on_durable(action, is_withdrawal, now);
  }

  SystemClock clock_;
  SystemRandom random_;
  claims::HostId id_;
  std::set<claims::ActionId> rules_;
  std::set<claims::ActionId> withdrawn_;
  std::vector<std::pair<claims::ActionId, bool>> durable_;  // to be reported
  std::unique_ptr<BusThread> bus_;
  std::unique_ptr<Replica> replica_;
  loop::Timer timer_;
};

}  // namespace claimsd::fleet
