// watch_list.h: which hosts have acknowledged the items that an operator of this host waits for.
//
// A host acknowledges in its row: once the item is durable there and no lookup can miss it. Rows are
// replaced, so acknowledgements are collected here. Bounded: kMaxWatched items. Loop thread.
#pragma once

#include <map>
#include <set>

#include "daemon/fleet/host_table.h"
#include "daemon/fleet/item_set.h"
#include "daemon/fleet/status.h"

namespace claimsd::fleet {

inline constexpr std::size_t kMaxWatched = 64;

class WatchList {
 public:
  // False if there is no room.
  bool add(const ItemId& item, BootTime deadline, const Now& now);
  void take(const HostTable::HostKey& host, const proto::FleetRow& row);
  // The table of hosts was read completely; the read began at this time.
  void rows_read(BootTime began);
  // Removes watches a minute after their deadline.
  void expire(const Now& now);
  // Items whose hosts are to be asked again.
  std::vector<ItemId> due(const Now& now);
  bool is_waiting(const Now& now) const;

  Acknowledgement of(const ItemId& item, const HostTable& hosts, const HostTable::HostKey& self,
                     bool is_durable, bool is_current) const;

 private:
  struct Watch {
    BootTime since;
    BootTime deadline;
    BootTime ask_at;
    bool knows_rows = false;
    std::set<HostTable::HostKey> acknowledged;
  };
  std::map<ItemId, Watch> watches_;
};

}  // namespace claimsd::fleet
