// watch_list.h: which hosts have acknowledged the items that an operator of this host waits for.
//
// A host acknowledges in its row: once the item is durable there and no lookup can miss it. Rows are
// replaced, so acknowledgements are collected here.
//
// A host that is not in the table yet may be current without the item, as long as a pulse from before
// the last acknowledgement makes it so. It wrote its row before it became current. So the item is in
// effect everywhere if the table is read again kConfirmAfter later, and still all have acknowledged.
// Bounded: kMaxWatched items. Loop thread.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <set>

#include "daemon/fleet/host_table.h"
#include "daemon/fleet/item_set.h"
#include "daemon/fleet/limits.h"
#include "daemon/fleet/status.h"

namespace claimsd::fleet {

inline constexpr std::size_t kMaxWatched = 64;
// The estimates of two hosts of the time of Redis differ by less than a second.
inline constexpr Duration kConfirmAfter = kPulseLimit + seconds(1);

class WatchList {
 public:
  // False if there is no room.
  bool add(const ItemId& item, BootTime deadline, const Now& now);
  void take(const HostTable::HostKey& host, const proto::FleetRow& row);
  // Another connection: the table of hosts there is to be read before anything is known.
  void connected();
  // The table of hosts was read completely; the read began at this time. `is_shared`: whether an item
  // is on disk here, and was seen in the log.
  void rows_read(BootTime began, const HostTable& hosts, const HostTable::HostKey& self,
                 const std::function<bool(const ItemId&)>& is_shared, const Now& now);
  // When to read the table of hosts for what is watched; nullopt: nothing is waited for.
  std::optional<BootTime> read_at(const Now& now) const;
  // Removes watches a minute after their deadline.
  void expire(const Now& now);
  // Items whose hosts are to be asked again.
  std::vector<ItemId> due(const Now& now);

  Acknowledgement of(const ItemId& item, const HostTable& hosts, const HostTable::HostKey& self,
                     bool is_durable, bool is_current) const;

 private:
  struct Watch {
    BootTime deadline;
    BootTime ask_at;
    // Over this connection: all known hosts have acknowledged it; and there is no unknown one.
    std::optional<BootTime> complete_since;
    bool is_confirmed = false;
    std::set<HostTable::HostKey> acknowledged;
  };
  static bool is_complete(const Watch& watch, const HostTable& hosts,
                          const HostTable::HostKey& self);

  std::map<ItemId, Watch> watches_;
};

}  // namespace claimsd::fleet
