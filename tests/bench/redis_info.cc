#include "tests/bench/redis_info.h"

#include <charconv>
#include <stdexcept>

#include "daemon/redis/connection.h"
#include "daemon/redis/servers.h"

namespace claimsd::bench {

std::string redis_info(const test::RedisServer& server, std::string_view section) {
  const SystemClock clock;
  const redis::Wait wait(clock);
  redis::Servers servers({.servers = {{"127.0.0.1", server.port(), false}}}, wait);
  redis::Connection connection = servers.connect().value();
  return connection.call({"INFO", section}, wait.now() + seconds(10)).value().text;
}

double number_in(std::string_view info, std::string_view key) {
  const std::size_t at = info.find(key);
  if (at == std::string_view::npos) throw std::runtime_error("INFO lacks a number");
  double number = 0;
  const char* const begin = info.data() + at + key.size();
  std::from_chars(begin, info.data() + info.size(), number);
  return number;
}

}  // namespace claimsd::bench
