#include "daemon/redis/command.h"

#include <hiredis/hiredis.h>
#include <string.h>

#include <memory>
#include <new>
#include <vector>

namespace claimsd::redis {
namespace {

struct FreeCommand {
  void operator()(char* command) const { redisFreeCommand(command); }
};
using Formatted = std::unique_ptr<char, FreeCommand>;

std::size_t format(std::span<const std::string_view> arguments, Formatted& formatted) {
  std::vector<const char*> starts;
  std::vector<std::size_t> sizes;
  for (const std::string_view argument : arguments) {
    starts.push_back(argument.data() == nullptr ? "" : argument.data());
    sizes.push_back(argument.size());
  }
  char* command = nullptr;
  const auto size = redisFormatCommandArgv(&command, static_cast<int>(starts.size()), starts.data(),
                                           sizes.data());
  if (size < 0) throw std::bad_alloc();
  formatted.reset(command);
  return static_cast<std::size_t>(size);
}

}  // namespace

std::string format_command(std::span<const std::string_view> arguments) {
  Formatted formatted;
  const std::size_t size = format(arguments, formatted);
  return {formatted.get(), size};
}

std::string format_command(std::initializer_list<std::string_view> arguments) {
  return format_command(std::span(arguments.begin(), arguments.size()));
}

Secret format_auth(std::string_view user, const Secret& password) {
  std::vector<std::string_view> arguments{"AUTH"};
  if (!user.empty()) arguments.push_back(user);
  arguments.push_back(password.view());
  Formatted formatted;
  const std::size_t size = format(arguments, formatted);
  Secret command(std::string_view(formatted.get(), size));
  explicit_bzero(formatted.get(), size);
  return command;
}

}  // namespace claimsd::redis
