// http_load.h: a steady load of HTTP requests on one of two servers, from a separate process that a
// benchmark owns.
#pragma once

#include <atomic>
#include <memory>
#include <string>

#include "tests/bench/process.h"

namespace claimsd::bench {

class HttpLoad {
 public:
  // `per_second` requests, on `core`, over four kept connections to each socket. Returns when they
  // are connected; the load goes to the first.
  static Result<HttpLoad> start(const std::string& first, const std::string& second,
                                const std::string& path, unsigned per_second, int core);

  // Sends the load to the first server or to the second.
  void aim(bool at_second) const { shared_->at_second = at_second; }

 private:
  // In memory shared by both processes.
  struct Shared {
    std::atomic<bool> at_second{false};
  };
  struct Unmap {
    void operator()(Shared* shared) const;
  };
  HttpLoad(std::unique_ptr<Shared, Unmap> shared, Process process)
      : shared_(std::move(shared)), process_(std::move(process)) {}

  std::unique_ptr<Shared, Unmap> shared_;
  Process process_;
};

}  // namespace claimsd::bench
