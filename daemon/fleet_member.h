// fleet_member.h: this host as a member of its fleet: connects the replica (policy) with the bus,
// the service, and the revocations on disk. Part of the composition root; loop thread.
//
// As RevocationLog it passes every change on to the disk, shares what was ordered here, and reports
// to the replica what has become durable. As LocalRules it puts into effect what other hosts
// ordered, on the same path as an order of this host. Nothing here waits for the bus.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "daemon/admin/routes.h"
#include "daemon/claims/service.h"
#include "daemon/claims/upstream/token_bucket.h"
#include "daemon/fleet/bus_thread.h"
#include "daemon/fleet/host_file.h"
#include "daemon/fleet/replica.h"
#include "daemon/log/log.h"
#include "daemon/loop/background.h"
#include "daemon/loop/timer.h"
#include "daemon/shm/acknowledgement_hold.h"
#include "daemon/store/revocation_writer.h"

namespace claimsd::daemon {

class FleetMember final : public claims::RevocationLog, public fleet::LocalRules {
 public:
  struct Dependencies {
    loop::Loop& loop;
    const Clock& clock;
    Random& random;
    Log& log;
    store::RevocationWriter& revocations;
    shm::AcknowledgementHold& hold;
  };
  struct Options {
    fleet::Settings replica;
    std::vector<Secret> seal_keys;  // newest first
    redis::Settings servers;
    fleet::HostIdentity identity;
    std::string host_file;  // where the identity is stored
  };
  struct Hooks {
    // Another host's order is in effect here. `host`: its name.
    std::function<void(const claims::Rule& rule, const std::string& host)> received;
    std::function<void(const claims::Withdrawal& withdrawal, const std::string& host)> withdrawn;
    // This many more orders of other hosts are in effect, too many for one report each.
    std::function<void(std::uint64_t count)> received_many;
  };

  // The dependencies must outlive this object. Starts the bus thread.
  static Result<std::unique_ptr<FleetMember>> create(Options options, Dependencies deps);
  ~FleetMember() override = default;
  FleetMember(const FleetMember&) = delete;
  FleetMember& operator=(const FleetMember&) = delete;

  // Call both once, in this order, before the loop runs. From then on the service answers only
  // while this host may (ClaimsService::set_complete).
  void restore(const std::vector<claims::Rule>& rules,
               const std::vector<claims::Withdrawal>& withdrawals);
  void connect(claims::ClaimsService& service, Hooks hooks);

  // The fleet's part of the admin API.
  void provide(admin::AdminServices& services);

  void write(claims::RevocationChange change, Done done) override;

  bool apply(const std::vector<claims::Rule>& rules) override;
  bool apply(const claims::Withdrawal& withdrawal) override;
  void remember_current(WallTime at) override;

  using AwaitDone = std::function<void(const fleet::Acknowledgement&)>;
  // admin::AdminServices::await_fleet.
  bool await(const claims::ActionId& action, bool is_withdrawal, Duration timeout, AwaitDone done);

  admin::FleetStatus status() const;
  // admin::AdminServices::fleet_hosts.
  using HostsDone = std::function<void(const std::vector<fleet::HostStatus>&)>;
  void list_hosts(HostsDone done);
  // For `not_before` of a new action.
  WallTime action_time() const { return replica_->action_time(deps_.clock.now()); }

 private:
  struct Item {
    claims::ActionId action;
    bool is_withdrawal = false;
  };
  struct Awaited {
    Item item;
    BootTime deadline;
    AwaitDone done;
  };

  struct List {
    BootTime at;
    HostsDone done;
  };

  FleetMember(Options options, Dependencies deps);
  void take(const fleet::BusEvent& event);
  void connected(const fleet::BusEvent& event);
  void disconnected(const fleet::BusEvent& event);
  void tick();
  void settle(std::uint64_t order);
  void answer_awaited(const Now& now);
  void answer_lists(const Now& now);
  void follow_gate();
  void log_currency();
  bool may_report();
  std::string name_of(const claims::HostId& host) const;

  Dependencies deps_;
  Options options_;
  Hooks hooks_;
  claims::ClaimsService* service_ = nullptr;
  std::unique_ptr<fleet::BusThread> bus_;
  std::unique_ptr<fleet::Replica> replica_;
  loop::Background background_;
  loop::Timer timer_;
  bool applying_ = false;  // write() is called for an order of another host
  std::uint64_t last_order_ = 0;
  std::map<std::uint64_t, std::vector<Item>> not_durable_;  // by number of the order
  std::vector<Awaited> awaited_;
  std::vector<List> lists_;
  bool answers_ = true;
  std::optional<fleet::Currency> currency_;  // what the log says; none: nothing yet
  claims::TokenBucket reports_;
  std::uint64_t unreported_ = 0;  // orders of other hosts
  std::string bus_error_;         // what the log says; "": connected, or no attempt has ended
};

}  // namespace claimsd::daemon
