// redis_info.h: what a Redis server says of itself (INFO).
#pragma once

#include <string>
#include <string_view>

#include "tests/support/redis_server.h"

namespace claimsd::bench {

// One section, such as "stats". Throws std::exception if the server does not answer.
std::string redis_info(const test::RedisServer& server, std::string_view section);

// The number behind `key`, such as "connected_clients:". Throws std::runtime_error if it is absent.
double number_in(std::string_view info, std::string_view key);

}  // namespace claimsd::bench
