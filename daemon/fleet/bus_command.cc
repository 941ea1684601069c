#include "daemon/fleet/bus_command.h"

#include <fmt/core.h>

#include "daemon/redis/command.h"

namespace claimsd::fleet {
namespace {

std::size_t add(std::string& text, std::initializer_list<std::string_view> arguments) {
  text += redis::format_command(arguments);
  return 1;
}

std::size_t add_message(std::string& text, std::string_view stream, std::string_view exact,
                        std::string_view length, std::string_view bytes) {
  return add(text, {"XADD", stream, "MAXLEN", exact, length, "*", kMessageField, bytes});
}

std::size_t add_fields(std::string& text, std::string_view hash, const std::vector<Field>& fields) {
  if (fields.empty()) return 0;
  std::vector<std::string_view> arguments{"HSET", hash};
  for (const Field& field : fields) {
    arguments.emplace_back(field.name);
    arguments.emplace_back(field.bytes);
  }
  text += redis::format_command(arguments);
  return 1;
}

std::size_t drop_fields(std::string& text, std::string_view hash,
                        const std::vector<std::string>& names) {
  if (names.empty()) return 0;
  std::vector<std::string_view> arguments{"HDEL", hash};
  arguments.insert(arguments.end(), names.begin(), names.end());
  text += redis::format_command(arguments);
  return 1;
}

}  // namespace

std::size_t BusCommand::bytes() const {
  std::size_t total = sizeof *this;
  for (const Field& field : fields) total += field.name.size() + field.bytes.size();
  for (const std::string& name : names) total += name.size();
  return total;
}

BusKeys::BusKeys(const std::string& fleet) {
  const std::string prefix = fmt::format("{{claimsd:{}}}:", fleet);
  log = prefix + "log";
  pulse = prefix + "pulse";
  actions = prefix + "actions";
  hosts = prefix + "hosts";
}

std::size_t append_command(const BusCommand& command, const BusKeys& keys, std::string& text) {
  switch (command.verb) {
    case BusVerb::kPublish: {
      std::size_t replies = add(text, {"MULTI"});
      replies += add_fields(text, keys.actions, command.fields);
      for (const Field& field : command.fields)
        replies += add_message(text, keys.log, "~", kLogLength, field.bytes);
      return replies + add(text, {"EXEC"});
    }
    case BusVerb::kAnnounce:
      return add_message(text, keys.log, "~", kLogLength, command.fields.front().bytes);
    case BusVerb::kPulse:
      return add_message(text, keys.pulse, "=", kPulses, command.fields.front().bytes);
    case BusVerb::kPutRow: return add_fields(text, keys.hosts, command.fields);
    case BusVerb::kDropRows: return drop_fields(text, keys.hosts, command.names);
    case BusVerb::kPutItems: return add_fields(text, keys.actions, command.fields);
    case BusVerb::kDropItems: return drop_fields(text, keys.actions, command.names);
    case BusVerb::kCountItems: return add(text, {"HLEN", keys.actions});
    case BusVerb::kReadItems:
    case BusVerb::kReadRows: break;
  }
  return 0;
}

}  // namespace claimsd::fleet
