// replica.h: one host's copy of the fleet's actions and withdrawals: the policy, without I/O.
//
// The state is a set of items: actions and withdrawals (daemon/claims/revocation/rule.h). Merging is
// union, so order, duplicates and replays have no effect; only a missing item has. One host at a time
// writes a pulse with the digest of its set. A host is current while it has covered a fresh pulse
// within kPulseLimit. On a difference the hosts exchange digests of buckets, then ids, and any holder
// of a missing item publishes it (exchange.h).
//
// Inputs are the functions below; outputs are calls of the ports. Owned by the composition root;
// loop thread. Call tick() every kTick. Each input takes microseconds: the caller limits how many
// messages it passes in one iteration.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/base/random.h"
#include "daemon/base/result.h"
#include "daemon/base/secret.h"
#include "daemon/claims/revocation/rule.h"
#include "daemon/fleet/limits.h"
#include "daemon/fleet/ports.h"
#include "daemon/fleet/status.h"

namespace claimsd::fleet {

enum class WhenLost : std::uint8_t { kServe, kUnavailable };

struct Settings {
  std::string fleet;    // its name
  claims::HostId host;  // random, made once, durable
  std::string host_name;
  std::string version;
  WhenLost when_lost = WhenLost::kServe;
  Duration lost_after = seconds(10);
  // join: whether a host that was never current answers. One that does may also write the first
  // pulse of a new fleet.
  WhenLost join = WhenLost::kUnavailable;
  std::size_t max_items = 200'000;
  // When it was last current, from LocalRules::remember_current(); nullopt: never.
  std::optional<WallTime> was_current_at;
};

class Replica {
 public:
  // `seal_keys`: one or two, newest first, at least 32 bytes each. Everything referenced must
  // outlive the replica.
  static Result<std::unique_ptr<Replica>> create(Settings settings,
                                                 const std::vector<Secret>& seal_keys, Bus& bus,
                                                 LocalRules& rules, Random& random);
  virtual ~Replica() = default;

  // Adds what an earlier run stored. Items without an author are this host's own and are not shared.
  // Call before everything else.
  virtual void restore(const std::vector<claims::Rule>& rules,
                       const std::vector<claims::Withdrawal>& withdrawals, const Now& now) = 0;
  // Shares what was ordered on this host: every change that is passed to the RevocationLog. Ignores
  // items of other hosts and items without an author.
  virtual void share(const claims::RevocationChange& change, const Now& now) = 0;
  // The item is on disk, and no predecessor's map can still be trusted: it counts as acknowledged.
  virtual void on_durable(const claims::ActionId& action, bool is_withdrawal, const Now& now) = 0;

  // The bus is connected to a server that accepts writes, and reads `log` and `pulse` from here on.
  // `redis_time`: from TIME, estimated at the moment of `now`. Reads the hash of items.
  virtual void on_connected(WallTime redis_time, const Now& now) = 0;
  // A later estimate; pass one at least every ten seconds.
  virtual void on_redis_time(WallTime redis_time, const Now& now) = 0;
  virtual void on_disconnected(const Now& now) = 0;
  // Any bytes; what is not sealed under the fleet's keys changes nothing.
  virtual void on_message(std::string_view bytes, const Now& now) = 0;  // an entry of `log`
  virtual void on_pulse(std::string_view bytes, const Now& now) = 0;    // an entry of `pulse`
  virtual void on_item(std::string_view name, std::string_view bytes, const Now& now) = 0;
  virtual void on_items_read(const Now& now) = 0;
  virtual void on_item_count(std::uint64_t count, const Now& now) = 0;
  virtual void on_row(std::string_view name, std::string_view bytes, const Now& now) = 0;
  virtual void on_rows_read(const Now& now) = 0;
  virtual void tick(const Now& now) = 0;

  // Asks all hosts to acknowledge this action or withdrawal, until `deadline`. At most kMaxWatched
  // (watch_list.h) at a time; false if there are more, or if the fleet does not have it.
  virtual bool watch(const claims::ActionId& action, bool is_withdrawal, BootTime deadline,
                     const Now& now) = 0;
  virtual Acknowledgement acknowledgement(const claims::ActionId& action,
                                          bool is_withdrawal) const = 0;

  // A plain flag, updated by the inputs: whether this host may answer queries. False means
  // `unavailable` for every query, and that the shared map must not be trusted.
  virtual bool answers() const = 0;
  virtual FleetStatus status(const Now& now) const = 0;
  virtual Currency currency() const = 0;
  // The rows of the table of hosts, by name. They are read twice a minute, less often in a fleet of
  // more than 60 hosts.
  virtual std::vector<HostStatus> hosts(const Now& now) const = 0;
  // Reads the table of hosts within the next kTick.
  virtual void refresh_hosts(const Now& now) = 0;
  // The name of a host in that table; nullopt: it is not there.
  virtual std::optional<std::string> name_of(const claims::HostId& host) const = 0;
  // The time for `not_before` of a new action: this host's, or that of Redis if it is later by at
  // most kClockTolerance.
  virtual WallTime action_time(const Now& now) const = 0;
};

}  // namespace claimsd::fleet
