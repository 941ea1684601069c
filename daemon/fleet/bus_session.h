// bus_session.h: the bus thread's work while it is connected to one server.
//
// Two connections: one waits in XREAD for new entries, the other carries all commands. A session ends
// with an Error: the connection failed, or the server no longer is the master. The bus then starts
// another. Bus thread; every wait has a deadline.
//
// XREAD never delivers an entry whose id is below its position, as after FLUSHALL with an earlier
// clock. So the last id of each stream is compared with the position every kCheckInterval.
#pragma once

#include <array>
#include <functional>
#include <optional>
#include <string>

#include "daemon/fleet/bus_command.h"
#include "daemon/fleet/bus_event.h"
#include "daemon/redis/servers.h"

namespace claimsd::fleet {

class BusSession {
 public:
  // Receives every event, in order. May block until the loop thread has room.
  using Report = std::function<void(BusEvent)>;

  static constexpr Duration kCheckInterval = seconds(2);
  // When pulses stop for this long, the server may be an isolated master: another one is tried. Not
  // if none has arrived yet: the first pulse of a fleet is written late.
  static constexpr Duration kSilence = seconds(8);

  // Connects, reads the positions of the streams, and reports kConnected. `servers` must outlive the
  // session.
  static Result<BusSession> open(redis::Servers& servers, const BusKeys& keys,
                                 const redis::Wait& wait, Report report);

  // Waits for an entry, for `wake_fd`, or for the next check, and handles what came.
  Status step(int wake_fd);
  // Carries out commands, in order.
  Status execute(const std::vector<BusCommand>& commands);

 private:
  struct Stream {
    std::string key;
    std::string position;
    BusEvent::Kind kind;
  };
  struct Scan {
    std::string key;
    BusEvent::Kind kind;
    BusEvent::Kind end;
    std::optional<std::string> cursor;
  };

  BusSession(redis::Servers& servers, redis::Connection writer, redis::Connection reader,
             const BusKeys& keys, const redis::Wait& wait, Report report);
  BootTime deadline() const { return wait_.now() + servers_->settings().command_timeout; }
  Result<redis::Value> call(std::initializer_list<std::string_view> arguments);
  Status start_read();
  Status take_entries();
  Status take_stream(const redis::Value& stream);
  Status check();
  Result<std::string> last_id(const Stream& stream);
  Result<BusEvent> read_time(BusEvent::Kind kind);
  Result<std::string> find_excess();
  Status scan_step(Scan& scan);
  Status judge_reply(const BusCommand& command, const redis::Value& reply);
  bool scanning() const { return scans_[0].cursor || scans_[1].cursor; }

  redis::Servers* servers_;
  redis::Connection writer_;
  redis::Connection reader_;
  BusKeys keys_;
  redis::Wait wait_;
  Report report_;
  std::array<Stream, 2> streams_;
  std::array<Scan, 2> scans_;
  BootTime read_deadline_{};
  BootTime next_check_{};
  std::optional<BootTime> last_pulse_;
};

}  // namespace claimsd::fleet
