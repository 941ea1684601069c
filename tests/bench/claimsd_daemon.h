// claimsd_daemon.h: the real daemon with its real library, as an operator would run it, but for the
// paths.
#pragma once

#include <cstdint>
#include <string>

#include "tests/bench/peers.h"

namespace claimsd::bench {

// Which of the sources that need no daemon.
enum class FastHit : unsigned char { kLocal, kShared };

// What is measured is what a miss costs, not when there have been too many.
inline constexpr std::string_view kNoBudget = "\n[limits]\nmisses_per_uid = 0\n";

class Daemon {
 public:
  // Whether it publishes leases.
  enum class FastPath : unsigned char { kOff, kOn };

  // `program` is the daemon's binary, `cache_options` more lines of its table [cache], and tables
  // after it. The audit log lies on a disk where one is named. Returns when it says that it is
  // ready.
  static Result<Daemon> start(const std::string& program, const Scratch& scratch,
                              std::uint16_t upstream_port, FastPath fast_path = FastPath::kOff,
                              std::string_view cache_options = "",
                              const Scratch* audit_disk = nullptr);

  pid_t pid() const { return process_.pid(); }
  const std::string& socket() const { return socket_; }

  // Asks for one token that the daemon knows: a hit. `name` is what tables call it.
  Result<ContenderPtr> hit(std::string name) const;
  // Asks for tokens that lie in the map, or in this process' own table.
  Result<ContenderPtr> fast_hit(std::string name, FastHit which) const;
  // Has it learn so many tokens.
  Status fill(std::uint64_t tokens) const;
  // Asks for any of the first `tokens` that it was filled with, over the socket or in the map.
  Result<ContenderPtr> hit_among(std::string name, std::uint64_t tokens) const;
  Result<ContenderPtr> fast_hit_among(std::string name, std::uint64_t tokens) const;
  // Asks for another token each time: a miss. `upstream` works for it, too.
  Result<ContenderPtr> miss(std::string name, pid_t upstream) const;

 private:
  Daemon(Process process, std::string socket)
      : process_(std::move(process)), socket_(std::move(socket)) {}

  Process process_;
  std::string socket_;
};

}  // namespace claimsd::bench
