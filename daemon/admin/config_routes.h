// config_routes.h: routes for the configuration: show it, reload it, and get or set the log level.
// Loop thread.
#pragma once

#include "daemon/admin/routes.h"

namespace claimsd::admin {

HttpResponse config_route(const AdminServices& services, const HttpRequest& request);
HttpResponse reload_route(const AdminServices& services, const HttpRequest& request);
HttpResponse log_level_route(const AdminServices& services, const HttpRequest& request);
HttpResponse set_log_level_route(const AdminServices& services, const HttpRequest& request);

}  // namespace claimsd::admin
