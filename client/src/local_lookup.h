// local_lookup.h: answers queries without the daemon, from the local table first, then from the
// shared map. A miss is not an error: the socket is next. Owned by the Handle.
//
// Any thread. After fork() abandon() is called in the child before anything else.
#pragma once

#include "client/include/claimsd.h"
#include "client/src/local_table.h"
#include "client/src/sealer_pool.h"
#include "client/src/shared_map.h"

namespace claimsd::client {

class LocalLookup {
 public:
  struct Options {
    bool on = true;
    bool local_table = true;
    std::uint32_t local_entries = kDefaultLocalEntries;
  };

  // Never fails: without memory the lookup works without a table.
  void create(const Options& options);

  // Offered in the Hello.
  std::uint64_t features() const { return on_ ? proto::kFeatureSharedMap : 0; }
  void welcome(const proto::Welcome& welcome, OwnedFd map) {
    if (on_) map_.welcome(welcome, std::move(map));
  }

  // A map arrived that could not be mapped at that time.
  bool map_was_missed() const { return on_ && map_.was_missed(); }
  void forget_map() { map_.forget(); }

  // True if the token is known to be valid; the answer goes to `out` unless that is null.
  bool look_up(const proto::Query& query, claimsd_answer** out);

  void abandon();
  void count(claimsd_statistics& out) const;
  // Lookups answered from the table and the map.
  std::uint64_t hits() const { return local_.hits() + sealers_.hits(); }

 private:
  bool find_shared(const MapView& map, const Sought& sought, const Moment& moment,
                   claimsd_answer** out);

  SharedMap map_;
  SealerPool sealers_;
  LocalTable local_;
  bool on_ = false;
};

}  // namespace claimsd::client
