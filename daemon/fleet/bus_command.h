// bus_command.h: what the replica asks of Redis, as a value that crosses to the bus thread, and as
// text. Pure; any thread.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "daemon/fleet/ports.h"

namespace claimsd::fleet {

enum class BusVerb : std::uint8_t {
  kPublish,
  kAnnounce,
  kPulse,
  kPutRow,
  kDropRows,
  kPutItems,
  kDropItems,
  kReadItems,
  kReadRows,
  kCountItems,
};

struct BusCommand {
  BusVerb verb = BusVerb::kPulse;
  std::vector<Field> fields;       // for messages one field without a name
  std::vector<std::string> names;  // of fields to drop

  std::size_t bytes() const;
};

// The keys of one fleet share a hash tag, so that one ACL pattern names them.
struct BusKeys {
  explicit BusKeys(const std::string& fleet);
  std::string log;
  std::string pulse;
  std::string actions;
  std::string hosts;
};

inline constexpr char kLogLength[] = "100000";  // entries, about
inline constexpr char kPulses[] = "8";
inline constexpr char kMessageField[] = "m";

// Appends the command to `text`, and returns the number of replies to it. kReadItems and kReadRows
// append nothing: they are scans (bus_session.h).
std::size_t append_command(const BusCommand& command, const BusKeys& keys, std::string& text);

}  // namespace claimsd::fleet
