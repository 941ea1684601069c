#include "tests/sim/fleet_host.h"

#include <algorithm>

namespace claimsd::sim {

using claims::ActionId;

FleetHost::FleetHost(Parameters parameters, FleetServers& servers, testing::SeededRandom& random,
                     std::function<void(const std::string&)> accepted)
    : parameters_(parameters), servers_(servers), random_(random), accepted_(std::move(accepted)) {}

void FleetHost::start(const Now& now) {
  fleet::Settings settings{.fleet = "sim",
                           .host = {{parameters_.number, 1}},
                           .host_name = "host-" + std::to_string(parameters_.number),
                           .version = "1",
                           .join = parameters_.join,
                           .max_items = parameters_.max_items,
                           .was_current_at = was_current_at_};
  std::vector<Secret> keys;
  keys.emplace_back(std::string_view("the seal key of the fleet, 32 bytes"));
  auto sealer = fleet::FleetSealer::create(keys, settings.fleet, random_);
  replica_ = std::make_unique<fleet::HostReplica>(std::move(settings), std::move(*sealer), *this,
                                                  *this, random_);
  std::vector<claims::Rule> rules;
  std::vector<claims::Withdrawal> withdrawals;
  for (const auto& [id, action] : in_effect_)
    rules.insert(rules.end(), action.begin(), action.end());
  for (const auto& [id, withdrawal] : withdrawn_) withdrawals.push_back(withdrawal);
  replica_->restore(rules, withdrawals, own(now));
}

void FleetHost::stop() {
  replica_.reset();
  server_.reset();
  sent_.clear();
  received_.clear();
  for (const DurableLater& one : not_durable_) {
    if (one.is_withdrawal) {
      withdrawn_.erase(one.action);
    } else {
      in_effect_.erase(one.action);
    }
  }
  not_durable_.clear();
}

Duration FleetHost::delay() {
  return milliseconds(static_cast<std::int64_t>(random_.below(100)));
}

void FleetHost::connect(std::size_t server, const Now& now) {
  now_ = now;
  server_ = server;
  const FleetServers::Server& to = servers_.all[server];
  read_until_ = to.data.last_id;
  next_time_ = now.boot + seconds(5);
  replica_->on_connected(now.wall + to.clock_offset, own(now));
}

void FleetHost::disconnect(const Now& now) {
  server_.reset();
  sent_.clear();
  received_.clear();
  replica_->on_disconnected(own(now));
}

void FleetHost::step(const Now& now) {
  now_ = now;
  for (std::size_t at = 0; at < not_durable_.size();) {
    const DurableLater one = not_durable_[at];
    if (one.at > now.boot) {
      ++at;
      continue;
    }
    not_durable_.erase(not_durable_.begin() + static_cast<std::ptrdiff_t>(at));
    replica_->on_durable(one.action, one.is_withdrawal, own(now));
  }
  while (server_ && !sent_.empty() && sent_.begin()->first <= now.boot) {
    const auto command = sent_.extract(sent_.begin()).mapped();
    if (servers_.all[*server_].accepts_writes) command(servers_.all[*server_].data);
  }
  if (server_) read_stream(now);
  while (!received_.empty() && received_.begin()->first <= now.boot)
    received_.extract(received_.begin()).mapped()();
  if (server_ && now.boot >= next_time_) {
    next_time_ = now.boot + seconds(5);
    replica_->on_redis_time(now.wall + servers_.all[*server_].clock_offset, own(now));
  }
  replica_->tick(own(now));
}

// Each entry takes its own time, so entries are reordered; some are lost, some arrive twice.
void FleetHost::read_stream(const Now&) {
  const FleetData& data = servers_.all[*server_].data;
  auto at = data.log.end();
  while (at != data.log.begin() && std::prev(at)->id > read_until_) --at;
  for (; at != data.log.end(); ++at) {
    if (deaf_ || random_.below(100) < loss_) continue;
    const int times = random_.below(20) == 0 ? 2 : 1;
    for (int count = 0; count < times; ++count) {
      receive([this, is_pulse = at->is_pulse, bytes = at->bytes] {
        if (is_pulse) return replica_->on_pulse(bytes, own(now_));
        replica_->on_message(bytes, own(now_));
      });
    }
  }
  read_until_ = data.last_id;
}

void FleetHost::send(std::function<void(FleetData&)> command) {
  if (!server_ || random_.below(100) < loss_) return;
  sent_.emplace(now_.boot + delay(), std::move(command));
}

void FleetHost::receive(std::function<void()> delivery, Duration extra) {
  received_.emplace(now_.boot + delay() + extra, std::move(delivery));
}

void FleetHost::publish(fleet::Field item) {
  send([item = std::move(item)](FleetData& data) {
    ++data.writes;
    data.items[item.name] = item.bytes;
    data.append(false, item.bytes);
  });
}

void FleetHost::announce(std::string bytes) {
  send([bytes = std::move(bytes)](FleetData& data) { data.append(false, bytes); });
}

void FleetHost::pulse(std::string bytes) {
  send([this, bytes = std::move(bytes)](FleetData& data) {
    data.append(true, bytes);
    accepted_(bytes);
  });
}

void FleetHost::put_row(fleet::Field row) {
  send([row = std::move(row)](FleetData& data) {
    ++data.writes;
    data.rows[row.name] = row.bytes;
  });
}

void FleetHost::drop_rows(std::vector<std::string> names) {
  send([names = std::move(names)](FleetData& data) {
    for (const std::string& name : names) data.rows.erase(name);
  });
}

void FleetHost::put_items(std::vector<fleet::Field> items) {
  send([items = std::move(items)](FleetData& data) {
    for (const fleet::Field& item : items) data.items[item.name] = item.bytes;
  });
}

void FleetHost::drop_items(std::vector<std::string> names) {
  send([names = std::move(names)](FleetData& data) {
    for (const std::string& name : names) data.items.erase(name);
  });
}

void FleetHost::read_items() {
  if (!server_) return;
  for (const auto& [name, bytes] : servers_.all[*server_].data.items) {
    receive([this, name = name, bytes = bytes] { replica_->on_item(name, bytes, own(now_)); });
  }
  receive([this] { replica_->on_items_read(own(now_)); }, milliseconds(100));
}

void FleetHost::read_rows() {
  if (!server_) return;
  for (const auto& [name, bytes] : servers_.all[*server_].data.rows)
    receive([this, name = name, bytes = bytes] { replica_->on_row(name, bytes, own(now_)); });
  receive([this] { replica_->on_rows_read(own(now_)); }, milliseconds(100));
}

void FleetHost::count_items() {
  if (!server_) return;
  receive([this, count = servers_.all[*server_].data.items.size()] {
    replica_->on_item_count(count, own(now_));
  });
}

void FleetHost::keep(const ActionId& action, bool is_withdrawal) {
  const Duration wait = slow_disk_ ? seconds(3) : milliseconds(20);
  not_durable_.push_back({action, is_withdrawal, now_.boot + wait});
}

bool FleetHost::apply(const std::vector<claims::Rule>& rules) {
  const ActionId id = rules.front().key.action;
  if (in_effect_.size() >= parameters_.max_items) return false;
  if (!in_effect_.try_emplace(id, rules).second) applied_replay_ = "an action was applied twice";
  if (known_ && !known_(id)) applied_foreign_ = "an action was applied without an order";
  keep(id, false);
  return true;
}

bool FleetHost::apply(const claims::Withdrawal& withdrawal) {
  if (!withdrawn_.try_emplace(withdrawal.action, withdrawal).second)
    applied_replay_ = "a withdrawal was applied twice";
  if (known_ && !known_(withdrawal.action))
    applied_foreign_ = "a withdrawal was applied without an order";
  keep(withdrawal.action, true);
  return true;
}

ActionId FleetHost::order(claims::RuleKind kind, Duration length, const Now& now) {
  now_ = now;
  ActionId id;
  random_.fill(id.bytes.data(), id.bytes.size());
  const Now at = own(now);
  claims::Rule rule{.key = {id, 0},
                    .name = {kind, {{1}}},
                    .made_at = at,
                    .ends = claims::end_after(at, length),
                    .author = {{parameters_.number, 1}}};
  in_effect_.emplace(id, std::vector{rule});
  keep(id, false);
  replica_->share({.rules = {rule}}, at);
  return id;
}

void FleetHost::withdraw(const ActionId& action, WallTime ends, const Now& now) {
  now_ = now;
  const Now at = own(now);
  const claims::Withdrawal withdrawal{.action = action,
                                      .made_at = at,
                                      .ends = {ends, at.boot},
                                      .author = {{parameters_.number, 1}}};
  if (!withdrawn_.try_emplace(action, withdrawal).second) return;
  keep(action, true);
  replica_->share({.withdrawals = {withdrawal}}, at);
}

}  // namespace claimsd::sim
