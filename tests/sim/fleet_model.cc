#include "tests/sim/fleet_model.h"

#include <fmt/core.h>

#include <algorithm>
#include <deque>

#include "tests/sim/fleet_host.h"
#include "tests/sim/trace.h"

namespace claimsd::sim {
namespace {

using claims::ActionId;

constexpr Duration kStep = milliseconds(50);
constexpr std::size_t kCalmSteps = 3'600;
constexpr std::size_t kMaxHosts = 6;
// A pulse counts from when a host dates it; then it travels.
constexpr Duration kLatestCurrent = fleet::kPulseLimit + milliseconds(700);

struct Order {
  ActionId id;
  std::size_t author = 0;
  WallTime ends;
  bool watched = false;
  bool everywhere = false;
};

class Fleet {
 public:
  Fleet(const FleetOptions& options, const FleetInvariants& checked, FleetCoverage& coverage)
      : options_(options),
        checked_(checked),
        coverage_(coverage),
        random_(options.seed),
        trace_(options.print) {
    small_ = below(10) == 0;
    const std::size_t hosts = 2 + below(3);
    for (std::size_t at = 0; at < hosts; ++at) add_host(true);
  }

  std::optional<Violation> run() {
    ++coverage_.histories;
    for (auto& host : hosts_) host->connect(servers_.master, now_);
    advance(80);
    servers_.all.front().replicate(now_.boot);  // these hosts have been in the fleet for long
    for (std::size_t step = 0; step < options_.steps && !violation_; ++step) {
      if (below(8) == 0) event();
      advance(1);
    }
    if (!violation_) calm();
    for (const auto& host : hosts_) {
      if (host->runs()) coverage_.exchanges += host->replica().status(now_).counters.exchanges;
    }
    return violation_;
  }

 private:
  std::uint64_t below(std::uint64_t bound) { return random_.below(bound); }
  FleetData& data() { return servers_.all[servers_.master].data; }
  FleetHost& any() { return *hosts_[below(hosts_.size())]; }
  bool checks(FleetInvariant one) const { return checked_[static_cast<std::size_t>(one)]; }
  // `what`: "" if the invariant holds.
  void judge(FleetInvariant one, const std::string& what) {
    if (violation_ || what.empty() || !checks(one)) return;
    const FleetInvariantRow& row = kFleetInvariants.at(static_cast<std::size_t>(one));
    violation_ = Violation{options_.seed, steps_, std::string(row.name), what, trace_.last()};
  }
  void note(std::string_view event, std::int64_t number = 0) {
    trace_.note({.step = steps_, .now = now_, .what = event, .which = {}, .number = number});
  }

  void add_host(bool was_current) {
    FleetHost::Parameters parameters{.number = static_cast<std::uint8_t>(hosts_.size() + 1)};
    parameters.max_items = small_ ? 6 : 10'000;
    parameters.wall_skew = milliseconds(static_cast<std::int64_t>(below(3'000)) - 1'500);
    if (below(20) == 0) parameters.wall_skew = seconds(40);
    hosts_.push_back(std::make_unique<FleetHost>(parameters, servers_, random_,
                                                 [this](const std::string& pulse) {
                                                   pulsed_at_ = now_.boot;
                                                   record(recorded_pulses_, pulse);
                                                 }));
    FleetHost& host = *hosts_.back();
    if (was_current) host.remember_current(now_.wall);
    host.set_known([this](const ActionId& id) {
      return std::any_of(orders_.begin(), orders_.end(),
                         [&](const Order& order) { return order.id == id; });
    });
    host.start(now_);
  }

  void record(std::vector<std::string>& to, const std::string& bytes) {
    if (to.size() < 64) return to.push_back(bytes);
    to[below(to.size())] = bytes;
  }

  void advance(std::size_t steps) {
    for (; steps > 0 && !violation_; --steps) {
      ++steps_;
      ++coverage_.steps;
      now_.boot += kStep;
      now_.wall += kStep;
      FleetServers::Server& master = servers_.all[servers_.master];
      if (below(30) == 0 || now_.boot >= master.replicated_at + FleetServers::kMaxLag)
        master.replicate(now_.boot);
      if (!master.data.log.empty() && below(4) == 0)
        record(recorded_, master.data.log.back().bytes);
      for (auto& host : hosts_) {
        if (host->runs()) host->step(now_);
      }
      check();
    }
  }

  // ---- Events.

  void event() {
    switch (below(18)) {
      case 0:
      case 1:
      case 2:
      case 3: return order();
      case 4: return withdraw();
      case 5: return cut(any());
      case 6:
      case 7:
      case 8: return heal(any());
      case 9: return fail_over();
      case 10: return lose_data();
      case 11: return crash(any());
      case 12:
      case 13: return intrude();
      case 14: return any().set_slow_disk(below(2) == 0);
      case 15: return any().set_lossy(below(2) == 0 ? 10 : 0);
      case 16: return join();
      case 17: return isolate();
    }
  }

  void order() {
    const std::size_t author = below(hosts_.size());
    FleetHost& host = *hosts_[author];
    if (!host.runs() || (small_ && orders_.size() >= 8)) return;
    ++coverage_.orders;
    note("order", static_cast<std::int64_t>(author));
    const Duration length = std::chrono::hours(1);
    // Listed first: a host may receive it at once.
    const ActionId id = host.order(claims::RuleKind::kUser, length, now_);
    orders_.push_back({id, author, host.own(now_).wall + length, false, false});
    if (below(3) > 0) {
      orders_.back().watched =
          host.replica().watch(id, false, now_.boot + seconds(60), host.own(now_));
    }
  }

  void withdraw() {
    if (orders_.empty()) return;
    const Order& order = orders_[below(orders_.size())];
    FleetHost& host = any();
    if (!host.runs() || !host.is_in_effect(order.id) || small_) return;
    ++coverage_.withdrawals;
    note("withdraw");
    host.withdraw(order.id, order.ends, now_);
  }

  void cut(FleetHost& host) {
    if (!host.runs() || !host.is_connected()) return;
    ++coverage_.cuts;
    note("cut");
    host.disconnect(now_);
  }

  void heal(FleetHost& host) {
    if (!host.runs()) return host.start(now_);
    if (host.is_connected() && host.server() == servers_.master) return;
    if (host.is_connected()) host.disconnect(now_);
    // Sometimes to a server that was master before: it answers, but refuses writes.
    const bool wrong = below(6) == 0;
    note("heal", wrong ? 1 : 0);
    host.connect(wrong ? below(servers_.all.size()) : servers_.master, now_);
  }

  void fail_over() {
    if (servers_.all.size() > 20) return;
    ++coverage_.failovers;
    note("fail over");
    coverage_.forgotten_writes +=
        servers_.fail_over(milliseconds(static_cast<std::int64_t>(below(400)) - 200), now_.boot);
    for (auto& host : hosts_) {
      if (host->runs() && host->is_connected() && below(3) > 0) {
        host->disconnect(now_);
        host->connect(servers_.master, now_);
      }
    }
  }

  // FLUSHALL, or an old copy.
  void lose_data() {
    ++coverage_.lost_data;
    note("lose data");
    FleetData lost = below(2) == 0 ? FleetData{} : servers_.all[below(servers_.all.size())].replica;
    lost.last_id = below(2) == 0 ? data().last_id : lost.last_id;
    const auto rows = data().rows;
    data() = std::move(lost);
    data().rows.insert(rows.begin(), rows.end());
    for (auto& host : hosts_) {  // the server was started again
      if (!host->runs() || !host->is_connected() || host->server() != servers_.master) continue;
      host->disconnect(now_);
      host->connect(servers_.master, now_);
    }
  }

  void crash(FleetHost& host) {
    if (!host.runs()) return;
    ++coverage_.crashes;
    note("crash");
    for (Order& order : orders_) {
      if (hosts_[order.author].get() == &host) order.watched = false;
    }
    host.stop();
    if (below(2) == 0) host.start(now_);
  }

  void join() {
    if (hosts_.size() >= kMaxHosts) return;
    ++coverage_.joins;
    note("join");
    add_host(false);
    hosts_.back()->connect(servers_.master, now_);
  }

  // The master refuses writes, or all hosts but one are cut, while an intruder repeats pulses.
  void isolate() {
    FleetServers::Server& master = servers_.all[servers_.master];
    ++coverage_.isolations;
    note("isolate");
    master.accepts_writes = false;
    for (int time = 0; time < 120 && !violation_; ++time) {
      if (!recorded_pulses_.empty() && time % 4 == 0) {
        ++coverage_.replays;
        for (auto& host : hosts_) {
          if (host->runs() && host->is_connected())
            host->replica().on_pulse(recorded_pulses_[below(recorded_pulses_.size())],
                                     host->own(now_));
        }
      }
      advance(1);
    }
    master.accepts_writes = true;
  }

  // Writes to Redis without the key.
  void intrude() {
    ++coverage_.intrusions;
    note("intrude");
    std::string bytes(below(200), '\0');
    random_.fill(bytes.data(), bytes.size());
    const std::vector<std::string>& from = below(2) == 0 ? recorded_ : recorded_pulses_;
    if (!from.empty() && below(4) > 0) bytes = from[below(from.size())];
    const bool changed = below(2) == 0 && !bytes.empty();
    if (changed) bytes[below(bytes.size())] ^= static_cast<char>(1 + below(255));
    coverage_.replays += changed ? 0 : 1;
    switch (below(5)) {
      case 0: return data().append(true, bytes);
      case 1: return data().append(false, bytes);
      case 2:
        if (!data().items.empty()) data().items.begin()->second = bytes;
        return;
      case 3: return data().items.clear();
      case 4: return deliver(bytes);
    }
  }

  // Every way in, and nothing that a host has may change but by a genuine item.
  void deliver(const std::string& bytes) {
    FleetHost& host = any();
    if (!host.runs()) return;
    const Now own = host.own(now_);
    host.replica().on_message(bytes, own);
    host.replica().on_row("0102", bytes, own);
    host.replica().on_item("a00", bytes, own);
    if (host.is_connected()) host.replica().on_pulse(bytes, own);
  }

  // ---- Checks.

  void check() {
    for (Order& order : orders_) {
      FleetHost& author = *hosts_[order.author];
      if (!order.watched || order.everywhere || !author.runs()) continue;
      if (!author.replica().acknowledgement(order.id, false).everywhere()) continue;
      order.everywhere = true;
      ++coverage_.everywhere;
    }
    for (const auto& host : hosts_) {
      if (host->runs()) check(*host);
    }
  }

  void check(FleetHost& host) {
    const bool is_current = host.replica().currency() == fleet::Currency::kCurrent;
    if (host.replica().currency() == fleet::Currency::kFull) ++coverage_.full;
    judge(FleetInvariant::kForeign, host.applied_foreign());
    judge(FleetInvariant::kReplay, host.applied_replay());
    if (is_current && now_.boot > pulsed_at_ + kLatestCurrent)
      judge(FleetInvariant::kOldPulse, "a host is current without a recent pulse");
    if (checks(FleetInvariant::kBounded)) judge(FleetInvariant::kBounded, excess(host));
    if (!checks(FleetInvariant::kEverywhere) || !is_current) return;
    for (const Order& order : orders_) {
      if (order.everywhere && !host.is_in_effect(order.id))
        judge(FleetInvariant::kEverywhere,
              "a current host lacks an action that is in effect everywhere");
    }
  }

  std::string excess(FleetHost& host) {
    const std::size_t most = 2 * orders_.size();
    if (host.replica().items() > most) return "more items than were ordered";
    if (host.replica().queued() > 4 * most + 256) return "queues grow";
    if (host.replica().status(now_).hosts > hosts_.size()) return "more hosts than there are";
    return {};
  }

  // The network is whole, without orders and intruders.
  void calm() {
    for (auto& host : hosts_) {
      if (!host->runs()) host->start(now_);
      host->set_lossy(0);
      host->set_slow_disk(false);
      if (host->is_connected()) host->disconnect(now_);
      host->connect(servers_.master, now_);
    }
    note("calm");
    for (std::size_t step = 0; step < kCalmSteps && !violation_; ++step) {
      advance(1);
      if (step % 20 == 19 && missing().empty()) return;
    }
    judge(FleetInvariant::kConverges, missing());
    judge(FleetInvariant::kBounded, unemptied());
  }

  // What keeps the fleet from being as one; "" if nothing does.
  std::string missing() {
    std::size_t actions = 0;
    std::size_t withdrawals = 0;
    for (const auto& host : hosts_) {
      actions = std::max(actions, host->actions());
      withdrawals = std::max(withdrawals, host->withdrawals());
    }
    for (const auto& host : hosts_) {
      const fleet::FleetStatus status = host->replica().status(now_);
      if (small_ && orders_.size() > 6) continue;  // one that is full may write nothing
      if (host->actions() != actions || host->withdrawals() != withdrawals)
        return fmt::format("a host has {} of {} actions, {} of {} withdrawals", host->actions(),
                           actions, host->withdrawals(), withdrawals);
      if (status.currency != fleet::Currency::kCurrent)
        return fmt::format("a host is not current: {}", text_of(status.currency));
      if (status.unpublished > 0 || status.not_durable > 0) return "items are not published";
    }
    return unemptied();
  }

  std::string unemptied() {
    for (const auto& host : hosts_) {
      if (small_ && orders_.size() > 6) continue;
      if (host->replica().to_publish() > 0) return "a queue does not become empty";
    }
    return {};
  }

  FleetOptions options_;
  FleetInvariants checked_;
  FleetCoverage& coverage_;
  testing::SeededRandom random_;
  Now now_{BootTime(seconds(1000)), WallTime(seconds(1'767'225'600))};
  FleetServers servers_;
  std::vector<std::unique_ptr<FleetHost>> hosts_;
  std::deque<Order> orders_;
  std::vector<std::string> recorded_;
  std::vector<std::string> recorded_pulses_;
  BootTime pulsed_at_{};
  bool small_ = false;
  std::uint64_t steps_ = 0;
  Trace trace_;
  std::optional<Violation> violation_;
};

}  // namespace

void FleetCoverage::add(const FleetCoverage& other) {
  histories += other.histories;
  steps += other.steps;
#define CLAIMSD_SIM_FLEET_ADD(name) name += other.name;
  CLAIMSD_SIM_FLEET_COVERAGE(CLAIMSD_SIM_FLEET_ADD)
#undef CLAIMSD_SIM_FLEET_ADD
}

std::vector<std::pair<std::string_view, std::uint64_t>> FleetCoverage::rows() const {
  return {
#define CLAIMSD_SIM_FLEET_ROW(name) {#name, name},
      CLAIMSD_SIM_FLEET_COVERAGE(CLAIMSD_SIM_FLEET_ROW)
#undef CLAIMSD_SIM_FLEET_ROW
  };
}

std::optional<Violation> run_fleet(const FleetOptions& options, const FleetInvariants& checked,
                                   FleetCoverage& coverage) {
  return Fleet(options, checked, coverage).run();
}

}  // namespace claimsd::sim
