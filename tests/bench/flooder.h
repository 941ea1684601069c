// flooder.h: a hostile worker: while started, queries unknown tokens over four connections as fast
// as the daemon answers. A separate process, owned by a benchmark.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>

#include "tests/bench/process.h"

namespace claimsd::bench {

class Flooder {
 public:
  // Runs on `core` at the lowest priority (SCHED_IDLE, sched(7)), even while paused. Connected and
  // paused on return.
  static Result<Flooder> start(const std::string& socket, int core);

  // Each returns once it has taken effect.
  void begin() const;
  void pause() const;
  // Junk queries answered so far.
  std::uint64_t answered() const { return shared_->answered; }

 private:
  // In memory shared by both processes.
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
