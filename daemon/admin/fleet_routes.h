// fleet_routes.h: GET /v1/fleet: this host in its fleet, and all hosts of the fleet as this one
// knows them; and the part of a response about an order that waits for all hosts. Loop thread.
#pragma once

#include "daemon/admin/routes.h"
#include "daemon/base/json_writer.h"

namespace claimsd::admin {

http::Response fleet_route(const AdminServices& services, const http::Request& request);

// How long POST /v1/revoke?everywhere=SECONDS and its siblings wait at most.
inline constexpr std::uint32_t kMaxEverywhereSeconds = 30;

// The parameter `everywhere`: nothing if it is absent. The error is the response.
tl::expected<std::optional<Duration>, http::Response> read_everywhere(const AdminServices& services,
                                                                      const http::Request& request);

// Members of the object "fleet" in the status.
void write_fleet_status(JsonWriter& json, const FleetStatus& fleet);
void write_acknowledgement(JsonWriter& json, const fleet::Acknowledgement& known);

// "never_current"
std::string state_word(fleet::Currency currency);

}  // namespace claimsd::admin
