// config_routes.h: routes for the configuration: show it, reload it, and get or set the log level.
// Loop thread.
#pragma once

#include "daemon/admin/routes.h"

namespace claimsd::admin {

http::Response config_route(const AdminServices& services, const http::Request& request);
// The response to a reload that ended so.
http::Response reload_response(const config::ReloadResult& result);
http::Response reload_route(const AdminServices& services, const http::Request& request);
http::Response log_level_route(const AdminServices& services, const http::Request& request);
http::Response set_log_level_route(const AdminServices& services, const http::Request& request);

}  // namespace claimsd::admin
