// flooder.h: a hostile worker: asks about tokens that nobody issued, as fast as the daemon answers,
// over four connections, while it is told to. A process of its own; owned by a benchmark.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>

#include "tests/bench/process.h"

namespace claimsd::bench {

class Flooder {
 public:
  // It runs on that core, at the lowest priority (SCHED_IDLE, sched(7)), also while it is quiet.
  // Connected when this returns, and quiet.
  static Result<Flooder> start(const std::string& socket, int core);

  // Each returns when it is so.
  void begin() const;
  void pause() const;
  // Junk answered so far.
  std::uint64_t answered() const { return shared_->answered; }

 private:
  // In memory that both processes see.
  struct Shared {
    std::atomic<bool> wanted{false};
    std::atomic<bool> floods{false};
    std::atomic<std::uint64_t> answered{0};
  };
  struct Unmap {
    void operator()(Shared* shared) const;
  };
  class Attack;

  Flooder(std::unique_ptr<Shared, Unmap> shared, Process process)
      : shared_(std::move(shared)), process_(std::move(process)) {}

  std::unique_ptr<Shared, Unmap> shared_;
  Process process_;
};

}  // namespace claimsd::bench
