// service_reporter.h: reports to the service manager (sd_notify(3)): ready, a status line when it
// changes (STATUS=), and the watchdog ping (WATCHDOG=1). Owned by the composition root; loop
// thread.
//
// The ping comes from a timer of the loop that answers workers, so a loop that hangs does not ping.
// It is also withheld while `fatal_error` returns a fault that only a restart fixes. After WatchdogSec=
// the service manager restarts the daemon.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "daemon/host/service_manager.h"
#include "daemon/log/log.h"
#include "daemon/loop/timer_fd.h"

namespace claimsd::host {

class ServiceReporter {
 public:
  using Line = std::function<std::string()>;  // the status line
  using FatalError =
      std::function<std::optional<std::string>()>;  // a fault that only a restart fixes

  // `log` must outlive this object.
  static Result<std::unique_ptr<ServiceReporter>> create(loop::Loop& loop,
                                                         const ServiceManager& manager, Line line,
                                                         FatalError fatal_error, Log& log);

  void ready();
  void stopping();

 private:
  ServiceReporter(const ServiceManager& manager, Line line, FatalError fatal_error, Log& log);
  void report();
  std::string status_if_new();

  const ServiceManager& manager_;
  const Line line_;
  const FatalError fatal_error_;
  Log& log_;
  std::string last_line_;
  bool unhealthy_ = false;
  std::optional<loop::TimerFd> timer_;
};

}  // namespace claimsd::host
