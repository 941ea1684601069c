// claimsd_daemon.h: the real daemon and library, run as an operator would, except for the paths.
#pragma once

#include <cstdint>
#include <string>

#include "tests/bench/http_stub.h"
#include "tests/bench/peers.h"

namespace claimsd::bench {

// Which of the sources that need no daemon.
enum class FastHit : unsigned char { kLocal, kShared };

// Disables the rate limit: the cost of a miss is measured, not the limit.
inline constexpr std::string_view kNoRateLimit = "\n[limits]\nmisses_per_uid = 0\n";

class Daemon {
 public:
  // Whether the daemon publishes leases.
  enum class SharedMemory : unsigned char { kOff, kOn };

  // `program`: the daemon's binary. `cache_options`: more lines of the table [cache] and further
  // tables. The audit log is on a disk if one is given. Returns when the daemon is ready.
  static Result<Daemon> start(const std::string& program, const Scratch& scratch,
                              const HttpStub& upstream,
                              SharedMemory shared_memory = SharedMemory::kOff,
                              std::string_view cache_options = "",
                              const Scratch* audit_disk = nullptr);

  pid_t pid() const { return process_.pid(); }
  const std::string& socket() const { return socket_; }

  // Queries one token that the daemon has cached. `name`: its label in tables.
  Result<ContenderPtr> hit(std::string name) const;
  // Looks up tokens in the lease map or in this process' local table.
  Result<ContenderPtr> fast_hit(std::string name, FastHit which) const;
  // Fills the cache with this many tokens.
  Status fill(std::uint64_t tokens) const;
  // Looks up random tokens among the first `tokens` filled, over the socket or in the map.
  Result<ContenderPtr> hit_among(std::string name, std::uint64_t tokens) const;
  Result<ContenderPtr> fast_hit_among(std::string name, std::uint64_t tokens) const;
  // Queries a new token each time: a miss. `upstream` is placed as a server as well.
  Result<ContenderPtr> miss(std::string name, pid_t upstream) const;

 private:
  Daemon(Process process, std::string socket)
      : process_(std::move(process)), socket_(std::move(socket)) {}

  Process process_;
  std::string socket_;
};

}  // namespace claimsd::bench
