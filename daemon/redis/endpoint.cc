#include "daemon/redis/endpoint.h"

#include <fmt/core.h>

#include "daemon/config/url.h"

namespace claimsd::redis {

std::string Endpoint::text() const {
  if (host.find(':') != std::string::npos) return fmt::format("[{}]:{}", host, port);
  return fmt::format("{}:{}", host, port);
}

Result<Endpoint> endpoint_of(std::string_view url, std::uint16_t default_port) {
  const config::RedisUrl parsed = TRY(config::parse_redis_url(url));
  return Endpoint{.host = parsed.host,
                  .port = parsed.port == 0 ? default_port : parsed.port,
                  .tls = parsed.tls};
}

}  // namespace claimsd::redis
