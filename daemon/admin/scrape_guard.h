// scrape_guard.h: restricts the listener for Prometheus, which any local process can reach: only
// routes marked kScrape, only GET and HEAD, and only a Host header that names loopback. The last
// rule stops DNS rebinding: a web page in a local browser can send requests to 127.0.0.1, but only
// under its own host name. Loop thread.
#pragma once

#include <string>
#include <vector>

#include "daemon/admin/http_server.h"
#include "daemon/admin/routes.h"

namespace claimsd::admin {

http::Response dispatch_scrape(const AdminServices& services, const http::Request& request);

// dispatch_scrape() with each response made at most once per kTime: a user who scrapes in a loop costs no
// more than that.
class ScrapeCache {
 public:
  static constexpr Duration kTime = seconds(1);
  // Limits of the listener: no peer is known there, and none gives admin actions.
  static HttpLimits limits() {
    return {.slots = {.connections = 8, .per_uid = 8, .actions = 0}, .pause = milliseconds(2)};
  }

  http::Response dispatch(const AdminServices& services, const http::Request& request);

 private:
  struct Kept {
    std::string path;
    BootTime until;
    http::Response response;
  };
  std::vector<Kept> kept_;
};

}  // namespace claimsd::admin
