// service_reporter.h: tells the service manager how the daemon is (sd_notify(3)): that it is ready,
// what it does in one line (STATUS=, when that has changed), and that it is alive (WATCHDOG=1).
//
// The ping comes from a timer of the loop that answers workers: a loop that does not turn does not
// ping. It is held back as well while `trouble` names something that only a restart mends; once
// WatchdogSec= has passed, the service manager restarts the daemon. Loop thread.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "daemon/host/service_manager.h"
#include "daemon/log/log.h"
#include "daemon/loop/kernel_timer.h"

namespace claimsd::daemon {

class ServiceReporter {
 public:
  using Line = std::function<std::string()>;                    // how the daemon is
  using Trouble = std::function<std::optional<std::string>()>;  // what only a restart mends

  // `log` outlives it.
  static Result<std::unique_ptr<ServiceReporter>> create(Loop& loop, const ServiceManager& manager,
                                                         Line line, Trouble trouble, Log& log);

  void ready();
  void stopping();

 private:
  ServiceReporter(const ServiceManager& manager, Line line, Trouble trouble, Log& log);
  void report();
  std::string status_if_new();

  const ServiceManager& manager_;
  const Line line_;
  const Trouble trouble_;
  Log& log_;
  std::string last_line_;
  bool troubled_ = false;
  std::optional<KernelTimer> timer_;
};

}  // namespace claimsd::daemon
