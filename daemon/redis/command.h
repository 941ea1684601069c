// command.h: formats a command for Redis. Pure; any thread.
#pragma once

#include <initializer_list>
#include <span>
#include <string>
#include <string_view>

#include "daemon/base/secret.h"

namespace claimsd::redis {

// Arguments may hold any bytes.
std::string format_command(std::span<const std::string_view> arguments);
std::string format_command(std::initializer_list<std::string_view> arguments);
// AUTH, with the copies of the password wiped. No user: the default user.
Secret format_auth(std::string_view user, const Secret& password);

}  // namespace claimsd::redis
