#include "daemon/fleet_member.h"

#include <fmt/core.h>

#include <algorithm>
#include <utility>

namespace claimsd::daemon {
namespace {

using fleet::BusEvent;

constexpr std::size_t kMaxAwaited = 32;
constexpr std::size_t kMaxLists = 8;
constexpr Duration kReadHosts = milliseconds(300);  // for the rows of a thousand hosts
// A host that joins receives thousands of orders at once: beyond this rate they are counted.
constexpr claims::Rate kReports{.per_second = 20, .burst = 200};

}  // namespace

FleetMember::FleetMember(Options options, Dependencies deps)
    : deps_(deps),
      options_(std::move(options)),
      background_(deps.loop),
      timer_(deps.loop, [this] { tick(); }),
      reports_(kReports, deps.clock.now().boot) {}

Result<std::unique_ptr<FleetMember>> FleetMember::create(Options options, Dependencies deps) {
  std::unique_ptr<FleetMember> self(new FleetMember(std::move(options), deps));
  const Options& set = self->options_;
  self->bus_ =
      TRY(fleet::BusThread::create({.fleet = set.replica.fleet, .servers = set.servers}, deps.loop,
                                   deps.clock, [member = self.get()](BusEvent&& event) {
                                     member->take(event);
                                     member->follow_gate();
                                   }));
  self->replica_ =
      TRY(fleet::Replica::create(set.replica, set.seal_keys, *self->bus_, *self, deps.random));
  return self;
}

void FleetMember::restore(const std::vector<claims::Rule>& rules,
                          const std::vector<claims::Withdrawal>& withdrawals) {
  replica_->restore(rules, withdrawals, deps_.clock.now());
}

void FleetMember::connect(claims::ClaimsService& service, Hooks hooks) {
  service_ = &service;
  hooks_ = std::move(hooks);
  follow_gate();
  log_currency();
  timer_.start(fleet::kTick, fleet::kTick);
}

admin::FleetStatus FleetMember::status() const {
  const fleet::Settings& set = options_.replica;
  const fleet::BusStatus& bus = bus_->status();
  return {.on = true,
          .name = set.fleet,
          .host_name = set.host_name,
          .host_file = options_.host_file,
          .serves_when_lost = set.when_lost == fleet::WhenLost::kServe,
          .replica = replica_->status(deps_.clock.now()),
          .connected = bus.connected,
          .server = bus.server,
          .user = options_.servers.user,
          .error = bus.error,
          .write_error = bus.write_error,
          .excess = bus.excess,
          .connects = bus.connects,
          .dropped = bus.dropped};
}

void FleetMember::provide(admin::AdminServices& services) {
  services.fleet_hosts = [this](HostsDone done) { list_hosts(std::move(done)); };
  services.await_fleet = [this](const claims::ActionId& action, bool is_withdrawal,
                                Duration timeout, AwaitDone done) {
    return await(action, is_withdrawal, timeout, std::move(done));
  };
}

// ---- What is ordered here, and what becomes durable.

void FleetMember::write(claims::RevocationChange change, Done done) {
  std::vector<Item> items;
  for (const claims::Rule& rule : change.rules) {
    if (rule.author == claims::HostId{}) continue;
    if (items.empty() || items.back().action != rule.key.action)
      items.push_back({rule.key.action, false});
  }
  for (const claims::Withdrawal& withdrawal : change.withdrawals) {
    if (withdrawal.author != claims::HostId{}) items.push_back({withdrawal.action, true});
  }
  if (items.empty()) return deps_.revocations.write(std::move(change), std::move(done));
  if (!applying_) replica_->share(change, deps_.clock.now());
  const std::uint64_t order = ++last_order_;
  not_durable_.emplace(order, std::move(items));
  deps_.revocations.write(std::move(change), [this, order, done = std::move(done)](bool durable) {
    if (durable) settle(order);
    if (done) done(durable);
  });
}

// Acknowledged once no worker can trust the map of a predecessor.
void FleetMember::settle(std::uint64_t order) {
  const auto found = not_durable_.find(order);
  if (found == not_durable_.end()) return;
  std::vector<Item> items = std::move(found->second);
  not_durable_.erase(found);
  deps_.hold.after([this, items = std::move(items)] {
    for (const Item& item : items)
      replica_->on_durable(item.action, item.is_withdrawal, deps_.clock.now());
  });
}

bool FleetMember::apply(const std::vector<claims::Rule>& rules) {
  if (rules.empty()) return true;
  applying_ = true;
  const bool applied = service_->apply(rules, {});
  applying_ = false;
  const claims::Rule& first = rules.front();
  if (applied && may_report()) hooks_.received(first, name_of(first.author));
  return applied;
}

bool FleetMember::apply(const claims::Withdrawal& withdrawal) {
  applying_ = true;
  const bool applied = service_->apply(withdrawal, {});
  applying_ = false;
  if (applied && may_report()) hooks_.withdrawn(withdrawal, name_of(withdrawal.author));
  return applied;
}

bool FleetMember::may_report() {
  reports_.fill(kReports, deps_.clock.now().boot);
  if (unreported_ == 0 && reports_.has(0)) {
    reports_.take();
    return true;
  }
  ++unreported_;
  return false;
}

void FleetMember::remember_current(WallTime at) {
  options_.identity.was_current_at = at;
  auto failed = std::make_shared<std::string>();
  const auto save = [file = options_.host_file, identity = options_.identity, failed] {
    const Status saved = fleet::save_host_identity(file, identity);
    if (!saved) *failed = saved.error().message;
  };
  const auto done = [this, failed] {
    if (!failed->empty()) deps_.log.warning("fleet_host_file", "{}", *failed);
  };
  if (const Status started = background_.run(save, done); !started)
    deps_.log.warning("fleet_host_file", "{}", started.error().message);
}

// ---- Orders that wait for all hosts.

bool FleetMember::await(const claims::ActionId& action, bool is_withdrawal, Duration timeout,
                        AwaitDone done) {
  const Now now = deps_.clock.now();
  const BootTime deadline = now.boot + timeout;
  if (awaited_.size() >= kMaxAwaited || !replica_->watch(action, is_withdrawal, deadline, now))
    return false;
  awaited_.push_back({{action, is_withdrawal}, deadline, std::move(done)});
  return true;
}

void FleetMember::answer_awaited(const Now& now) {
  std::vector<std::pair<AwaitDone, fleet::Acknowledgement>> answered;
  std::erase_if(awaited_, [&](Awaited& one) {
    fleet::Acknowledgement known =
        replica_->acknowledgement(one.item.action, one.item.is_withdrawal);
    if (!known.everywhere() && now.boot < one.deadline) return false;
    answered.emplace_back(std::move(one.done), std::move(known));
    return true;
  });
  for (const auto& [done, known] : answered) done(known);
}

void FleetMember::list_hosts(HostsDone done) {
  const Now now = deps_.clock.now();
  if (lists_.size() >= kMaxLists) return done(replica_->hosts(now));
  replica_->refresh_hosts(now);
  lists_.push_back({now.boot + kReadHosts, std::move(done)});
}

void FleetMember::answer_lists(const Now& now) {
  std::vector<HostsDone> due;
  std::erase_if(lists_, [&](List& one) {
    if (one.at > now.boot) return false;
    due.push_back(std::move(one.done));
    return true;
  });
  if (due.empty()) return;
  const std::vector<fleet::HostStatus> hosts = replica_->hosts(now);
  for (const HostsDone& done : due) done(hosts);
}

// ---- The bus.

void FleetMember::take(const BusEvent& event) {
  using Kind = BusEvent::Kind;
  const Now now = deps_.clock.now();
  switch (event.kind) {
    case Kind::kConnected: return connected(event);
    case Kind::kDisconnected: return disconnected(event);
    case Kind::kWriteRefused:
      return deps_.log.warning("fleet_write_refused", "the fleet's Redis refused a write: {}",
                               event.text);
    case Kind::kRedisTime: return replica_->on_redis_time(event.time, event.at);
    case Kind::kMessage: return replica_->on_message(event.text, now);
    case Kind::kPulse: return replica_->on_pulse(event.text, now);
    case Kind::kItem: return replica_->on_item(event.name, event.text, now);
    case Kind::kItemsRead: return replica_->on_items_read(now);
    case Kind::kRow: return replica_->on_row(event.name, event.text, now);
    case Kind::kRowsRead: return replica_->on_rows_read(now);
    case Kind::kItemCount: return replica_->on_item_count(event.number, now);
  }
}

void FleetMember::connected(const BusEvent& event) {
  bus_error_.clear();
  deps_.log.info("fleet_connected", "the Redis server of fleet {} is {}", options_.replica.fleet,
                 event.name);
  if (!event.text.empty())
    deps_.log.warning("fleet_user_excess",
                      "the Redis user of the fleet may {}: use the ACL line "
                      "that claimsctl doctor prints",
                      event.text);
  replica_->on_connected(event.time, event.at);
}

// The same failure, attempt after attempt, is one line.
void FleetMember::disconnected(const BusEvent& event) {
  if (event.text != bus_error_)
    deps_.log.warning("fleet_disconnected", "no connection to the Redis of fleet {}: {}",
                      options_.replica.fleet, event.text);
  bus_error_ = event.text;
  replica_->on_disconnected(deps_.clock.now());
}

void FleetMember::tick() {
  const Now now = deps_.clock.now();
  replica_->tick(now);
  // A write that failed is tried again, and is not reported again.
  while (!not_durable_.empty() && deps_.revocations.idle()) settle(not_durable_.begin()->first);
  follow_gate();
  log_currency();
  answer_awaited(now);
  answer_lists(now);
  reports_.fill(kReports, now.boot);
  if (unreported_ > 0 && reports_.has(0)) {
    reports_.take();
    hooks_.received_many(std::exchange(unreported_, 0));
  }
}

// The flag costs nothing to read, so it is read after every event: a host that has become current
// answers at once.
void FleetMember::follow_gate() {
  if (replica_->answers() == answers_) return;
  answers_ = replica_->answers();
  service_->set_complete(answers_);
}

void FleetMember::log_currency() {
  const fleet::Currency currency = replica_->currency();
  if (currency == currency_) return;
  currency_ = currency;
  if (currency == fleet::Currency::kCurrent) {
    deps_.log.info("fleet_current", "this host has all revocations of fleet {}",
                   options_.replica.fleet);
  } else {
    deps_.log.warning(
        "fleet_not_current", "this host may lack revocations of fleet {} ({}): it {}",
        options_.replica.fleet, fleet::text_of(currency),
        answers_ ? "answers queries nevertheless" : "answers every query unavailable");
  }
}

std::string FleetMember::name_of(const claims::HostId& host) const {
  return replica_->name_of(host).value_or(claims::text_of(claims::ActionId{host.bytes}));
}

}  // namespace claimsd::daemon
