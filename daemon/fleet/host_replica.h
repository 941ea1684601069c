// host_replica.h: the implementation of Replica (replica.h), from its parts:
//   FleetSealer    seals and opens messages
//   ItemSet        the items and their digests
//   PulseMonitor   judges pulses, and decides who writes them
//   Exchange       repairs differences
//   HostTable      the rows of all hosts
//   WatchList      who has acknowledged what
// Loop thread.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <utility>

#include "daemon/fleet/exchange.h"
#include "daemon/fleet/fleet_clock.h"
#include "daemon/fleet/fleet_sealer.h"
#include "daemon/fleet/host_table.h"
#include "daemon/fleet/pulse_monitor.h"
#include "daemon/fleet/replica.h"
#include "daemon/fleet/watch_list.h"

namespace claimsd::fleet {

class HostReplica final : public Replica {
 public:
  HostReplica(Settings settings, FleetSealer sealer, Bus& bus, LocalRules& rules, Random& random);

  void restore(const std::vector<claims::Rule>& rules,
               const std::vector<claims::Withdrawal>& withdrawals, const Now& now) override;
  void share(const claims::RevocationChange& change, const Now& now) override;
  void on_durable(const claims::ActionId& action, bool is_withdrawal, const Now& now) override;
  void on_connected(WallTime redis_time, const Now& now) override;
  void on_redis_time(WallTime redis_time, const Now& now) override;
  void on_disconnected(const Now& now) override;
  void on_message(std::string_view bytes, const Now& now) override;
  void on_pulse(std::string_view bytes, const Now& now) override;
  void on_item(std::string_view name, std::string_view bytes, const Now& now) override;
  void on_items_read(const Now& now) override;
  void on_item_count(std::uint64_t count, const Now& now) override;
  void on_row(std::string_view name, std::string_view bytes, const Now& now) override;
  void on_rows_read(const Now& now) override;
  void tick(const Now& now) override;
  bool watch(const claims::ActionId& action, bool is_withdrawal, BootTime deadline,
             const Now& now) override;
  Acknowledgement acknowledgement(const claims::ActionId& action,
                                  bool is_withdrawal) const override;
  bool answers() const override { return answers_; }
  FleetStatus status(const Now& now) const override;
  std::vector<HostStatus> hosts(const Now& now) const override;
  void refresh_hosts(const Now& now) override { rows_due_ = now.boot; }
  std::optional<std::string> name_of(const claims::HostId& host) const override;
  WallTime action_time(const Now& now) const override;

  Currency currency() const override { return currency_; }
  std::size_t items() const { return items_.size(); }
  // Entries in all queues; of this host's items that are to be published.
  std::size_t queued() const;
  std::size_t to_publish() const { return unpublished_.size(); }

 private:
  enum class Merged : std::uint8_t { kNew, kKnown, kIgnored };
  struct Unpublished {
    BootTime at;
    Duration delay;
  };

  bool open(std::string_view bytes, proto::FleetBody& body);
  Merged merge(const proto::FleetBody& body, const Now& now, ItemId& id);
  template <class Content>
  Merged merge_as(const proto::FleetBody& body, const Now& now, ItemId& id);
  template <class Apply>
  Merged add(const ItemId& id, WallTime ends, const proto::FleetBody& body, const Now& now,
             Apply&& apply);
  template <class Content>
  void add_own(const Content& made, const Now& now);
  template <class Content>
  void add_restored(const Content& restored, const Now& now);
  void take_row(const proto::FleetBody& body, bool& is_seen, const Now& now);
  bool row_is_known() const { return row_in_log_ && row_in_hash_; }
  bool is_covered(const Now& now) const { return pulses_.is_current(now) && row_is_known(); }
  void wants_acknowledgement(const ItemId& id, const Now& now);
  void acknowledge(const ItemId& id, const Now& now);
  void check_covered(const Now& now);
  void update_currency(const Now& now);
  Currency judge(const Now& now) const;
  bool was_ever_current(const Now& now) const;
  void remember(const Now& now);
  PulseMonitor::Rank rank(const Now& now) const;

  void expire(const Now& now);
  void publish_own(const Now& now);
  void publish(const ItemId& id, bool wants_acknowledgement);
  void write_pulse(const Now& now);
  void write_row(const Now& now);
  Duration next_repeat(Duration& last) const;
  void run_exchange(const Now& now);
  void refill();
  void read_rows(const Now& now);
  proto::FleetSender sender(bool wants_acknowledgement = false);
  Field field_of(const ItemId& id, const Item& item, bool wants_acknowledgement);

  Settings settings_;
  FleetSealer sealer_;
  Bus& bus_;
  LocalRules& rules_;
  Random& random_;
  std::string opened_;  // the body that was opened last
  ItemSet items_;
  PulseMonitor pulses_;
  Exchange exchange_;
  HostTable table_;
  WatchList watches_;
  FleetClock clock_;
  FleetCounters counters_;

  bool connected_ = false;
  bool items_read_ = false;  // the hash, over this connection
  // This host's row was seen, over this connection, in the log, which all connected hosts read, and
  // in the hash, for later ones. Without both, the author of an action might not know this host.
  bool row_in_log_ = false;
  bool row_in_hash_ = false;
  bool too_old_ = false;
  std::uint64_t sequence_ = 0;
  std::uint64_t incarnation_ = 0;
  Currency currency_ = Currency::kDisconnected;
  bool answers_ = false;
  std::optional<BootTime> started_at_;
  bool settled_;  // was current for kSettled, now or in an earlier run
  std::optional<BootTime> current_since_;
  std::optional<BootTime> lost_at_;    // since when this host is not current
  std::optional<BootTime> full_at_;    // an item was refused
  std::optional<BootTime> shared_at_;  // a row with this host's id came from another one
  BootTime remember_at_{};
  BootTime ticked_at_{};
  bool was_late_ = false;

  std::map<ItemId, Unpublished> unpublished_;
  std::map<ItemId, BootTime> wanted_;  // to be acknowledged once durable; until
  std::deque<std::pair<ItemId, BootTime>> acknowledged_;
  std::int64_t row_time_ = 0;
  Duration row_repeat_{};  // the last delay before a repeat
  Duration rows_repeat_{};
  BootTime row_due_{};
  BootTime row_from_{};  // not before
  BootTime rows_due_{};
  BootTime table_due_{};
  std::optional<BootTime> rows_since_;  // a read of the table is in progress
  std::uint64_t pulses_until_count_ = 0;
  std::optional<ItemId> refill_after_;
  bool refilling_ = false;
};

// The name of an item's field: "a" or "w", and the action's id.
std::string field_name(const ItemId& id);

}  // namespace claimsd::fleet
