#include "daemon/admin/retry_route.h"

#include "daemon/admin/status_json.h"
#include "daemon/base/json_writer.h"
#include "daemon/http/json_response.h"

namespace claimsd::admin {

http::Response retry_route(const AdminServices& services, const http::Request& request) {
  const auto name = request.parameter("upstream");
  if (name && !services.upstream_named(*name)) {
    return http::error_response(400, "unknown_upstream", "there is no upstream with this name",
                                "list the names with claimsctl status");
  }
  JsonWriter json;
  json.begin_object().member("schema", kStatusSchema).key("upstreams").begin_array();
  for (const UpstreamStatus& upstream : services.status().upstreams) {
    if (name && *name != upstream.name) continue;
    const Duration waited =
        services.retry_now(*services.upstream_named(upstream.name), request.uid());
    json.begin_object()
        .member("name", upstream.name)
        .member("backoff_seconds", in_seconds(waited))
        .end_object();
  }
  json.end_array();
  return http::json_response(200, json.end_object().take());
}

}  // namespace claimsd::admin
