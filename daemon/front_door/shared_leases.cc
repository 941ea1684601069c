#include "daemon/front_door/shared_leases.h"

#include "client/src/lease_reader.h"
#include "daemon/front_door/decision.h"
#include "proto/limits.h"
#include "proto/messages.h"

namespace claimsd::front_door {

void SharedLeases::use(Fd map) {
  if (!sealer_.is_open() && !sealer_.open()) return;
  const proto::Welcome welcome{.version = proto::kVersion,
                               .features = map ? proto::kFeatureSharedMap : 0,
                               .boot_time_ns = static_cast<std::uint64_t>(client::boot_time_ns()),
                               .daemon_version = {},
                               .upstream_name = {},
                               .upstream_id = 0};
  map_.welcome(welcome, client::OwnedFd(map.release()));
}

std::optional<SharedLeases::Found> SharedLeases::find(claims::UpstreamId upstream,
                                                      std::string_view token) {
  client::MapView map;
  if (token.size() < proto::kMinPublishedToken || !map_.look(map)) return std::nullopt;
  map.upstream = upstream;
  const client::Moment moment = client::Moment::now();
  if (!client::is_beating(map.header->heartbeat.load(std::memory_order_acquire), moment.boot))
    return std::nullopt;
  client::FoundLease lease;
  if (!client::find_lease(map, sealer_, token, moment, proto::kAnyAge, lease)) return std::nullopt;
  return Found{.claims = Secret(lease.block()), .complete = has_whole_document(lease.flags)};
}

}  // namespace claimsd::front_door
