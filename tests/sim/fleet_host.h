// fleet_host.h: one host in the fleet's simulation: the real replica with a modeled connection, disk
// and set of rules in effect.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "daemon/fleet/host_replica.h"
#include "tests/sim/fleet_server.h"
#include "tests/support/fake_world.h"

namespace claimsd::sim {

class FleetHost final : public fleet::Bus, public fleet::LocalRules {
 public:
  struct Parameters {
    std::uint8_t number = 0;
    fleet::WhenLost join = fleet::WhenLost::kUnavailable;
    std::size_t max_items = 10'000;
    Duration wall_skew{};
  };
  // `servers` and `random` must outlive the host. `accepted`: called when a server accepts a pulse.
  FleetHost(Parameters parameters, FleetServers& servers, testing::SeededRandom& random,
            std::function<void(const std::string&)> accepted);

  // Power on, with what is on disk. Power off: what is not on disk is lost.
  void start(const Now& now);
  void stop();
  bool runs() const { return replica_ != nullptr; }
  fleet::HostReplica& replica() { return *replica_; }

  void connect(std::size_t server, const Now& now);
  void disconnect(const Now& now);
  bool is_connected() const { return server_.has_value(); }
  std::size_t server() const { return *server_; }

  // Sends and receives what is due, and ticks. `now`: the true time.
  void step(const Now& now);
  Now own(const Now& now) const { return {now.boot, now.wall + parameters_.wall_skew}; }

  // Orders on this host.
  claims::ActionId order(claims::RuleKind kind, Duration length, const Now& now);
  void withdraw(const claims::ActionId& action, WallTime ends, const Now& now);

  bool is_in_effect(const claims::ActionId& action) const {
    return in_effect_.count(action) != 0 || withdrawn_.count(action) != 0;
  }
  std::size_t actions() const { return in_effect_.size(); }
  std::size_t withdrawals() const { return withdrawn_.size(); }
  // What was applied against an invariant; "": nothing.
  const std::string& applied_foreign() const { return applied_foreign_; }
  const std::string& applied_replay() const { return applied_replay_; }
  void set_slow_disk(bool slow) { slow_disk_ = slow; }
  void set_lossy(std::uint64_t percent) { loss_ = percent; }
  // Receives no entry, but sends.
  void set_deaf(bool deaf) { deaf_ = deaf; }
  void set_known(std::function<bool(const claims::ActionId&)> known) { known_ = std::move(known); }

  void publish(fleet::Field item) override;
  void announce(std::string bytes) override;
  void pulse(std::string bytes) override;
  void put_row(fleet::Field row) override;
  void drop_rows(std::vector<std::string> names) override;
  void put_items(std::vector<fleet::Field> items) override;
  void drop_items(std::vector<std::string> names) override;
  void read_items() override;
  void read_rows() override;
  void count_items() override;
  bool apply(const std::vector<claims::Rule>& rules) override;
  bool apply(const claims::Withdrawal& withdrawal) override;
  void remember_current(WallTime at) override { was_current_at_ = at; }

 private:
  struct DurableLater {
    claims::ActionId action;
    bool is_withdrawal = false;
    BootTime at;
  };
  void send(std::function<void(FleetData&)> command);
  void receive(std::function<void()> delivery, Duration extra = {});
  void read_stream(const Now& now);
  void keep(const claims::ActionId& action, bool is_withdrawal);
  Duration delay();

  Parameters parameters_;
  FleetServers& servers_;
  testing::SeededRandom& random_;
  std::function<void(const std::string&)> accepted_;
  std::function<bool(const claims::ActionId&)> known_;
  std::unique_ptr<fleet::HostReplica> replica_;
  Now now_{};
  std::optional<std::size_t> server_;
  std::uint64_t read_until_ = 0;
  BootTime next_time_{};
  std::multimap<BootTime, std::function<void(FleetData&)>> sent_;
  std::multimap<BootTime, std::function<void()>> received_;
  bool slow_disk_ = false;
  std::uint64_t loss_ = 0;
  bool deaf_ = false;
  std::string applied_foreign_;
  std::string applied_replay_;

  std::map<claims::ActionId, std::vector<claims::Rule>> in_effect_;
  std::map<claims::ActionId, claims::Withdrawal> withdrawn_;
  std::vector<DurableLater> not_durable_;
  std::optional<WallTime> was_current_at_;
};

}  // namespace claimsd::sim
