// bus_event.h: what the bus thread reports to the loop thread. A value.
#pragma once

#include <cstdint>
#include <string>

#include "daemon/base/clock.h"

namespace claimsd::fleet {

struct BusEvent {
  enum class Kind : std::uint8_t {
    kConnected,     // `name`: the server; `time`; `text`: what its user may do too much
    kDisconnected,  // `text`: why
    kRedisTime,     // `time`
    kMessage,       // `text`: an entry of the log
    kPulse,         // `text`: an entry of the pulses
    kItem,          // `name` and `text`: a field of the actions
    kItemsRead,
    kRow,  // `name` and `text`: a field of the hosts
    kRowsRead,
    kItemCount,     // `number`
    kWriteRefused,  // `text`: the server's answer to a write
  };
  Kind kind = Kind::kDisconnected;
  std::string name;
  std::string text;
  std::uint64_t number = 0;
  WallTime time{};  // of Redis, when this host's clocks showed `at`
  Now at{};

  std::size_t bytes() const { return sizeof *this + name.size() + text.size(); }
};

}  // namespace claimsd::fleet
