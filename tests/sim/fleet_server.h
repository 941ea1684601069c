// fleet_server.h: Redis in the fleet's simulation: two streams and two hashes, a replica that lags,
// and a clock of its own.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "daemon/base/clock.h"

namespace claimsd::sim {

struct FleetData {
  struct Entry {
    std::uint64_t id = 0;
    bool is_pulse = false;
    std::string bytes;
  };
  std::deque<Entry> log;
  std::map<std::string, std::string> items;
  std::map<std::string, std::string> rows;
  std::uint64_t last_id = 0;
  std::uint64_t writes = 0;

  void append(bool is_pulse, std::string bytes) {
    log.push_back({++last_id, is_pulse, std::move(bytes)});
    if (log.size() > 2'000) log.pop_front();
  }
};

// Servers by number. One is the master; others are masters of before, which refuse writes.
struct FleetServers {
  struct Server {
    FleetData data;
    FleetData replica;        // what a promoted replica has
    Duration clock_offset{};  // from the true time
    bool accepts_writes = true;
    BootTime replicated_at{};

    void replicate(BootTime now) {
      replica = data;
      replicated_at = now;
    }
  };
  // Of the replica; behind by more, the master refuses writes (min-replicas-max-lag).
  static constexpr Duration kMaxLag = seconds(10);
  std::vector<Server> all = std::vector<Server>(1);
  std::size_t master = 0;

  // Promotes the replica. Returns how many acknowledged writes are lost.
  std::uint64_t fail_over(Duration clock_offset, BootTime now) {
    Server& old = all[master];
    old.accepts_writes = false;
    Server next;
    next.data = old.replica;
    next.replicate(now);
    next.clock_offset = clock_offset;
    const std::uint64_t lost = old.data.writes - next.data.writes;
    all.push_back(std::move(next));
    master = all.size() - 1;
    return lost;
  }
};

}  // namespace claimsd::sim
