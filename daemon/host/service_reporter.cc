#include "daemon/host/service_reporter.h"

#include <algorithm>

namespace claimsd::daemon {
namespace {

constexpr Duration kInterval = seconds(1);
// sd_watchdog_enabled(3) requires at least two per period. With three, one may be late.
constexpr int kPingsPerWatchdog = 3;

}  // namespace

ServiceReporter::ServiceReporter(const ServiceManager& manager, Line line, Trouble trouble,
                                 Log& log)
    : manager_(manager), line_(std::move(line)), trouble_(std::move(trouble)), log_(log) {}

Result<std::unique_ptr<ServiceReporter>> ServiceReporter::create(Loop& loop,
                                                                 const ServiceManager& manager,
                                                                 Line line, Trouble trouble,
                                                                 Log& log) {
  std::unique_ptr<ServiceReporter> made(
      new ServiceReporter(manager, std::move(line), std::move(trouble), log));
  if (!manager.present()) return made;
  made->timer_ = TRY(KernelTimer::create(loop, [self = made.get()] { self->report(); }));
  const Duration watchdog = manager.watchdog().value_or(kInterval * kPingsPerWatchdog);
  const Duration interval = std::min(kInterval, watchdog / kPingsPerWatchdog);
  made->timer_->start(interval, interval);
  return made;
}

void ServiceReporter::ready() {
  manager_.notify("READY=1" + status_if_new());
}

void ServiceReporter::stopping() {
  manager_.notify("STOPPING=1" + status_if_new());
}

void ServiceReporter::report() {
  const std::optional<std::string> trouble = trouble_();
  if (trouble && !troubled_) log_.error("unhealthy", "restart required: {}", *trouble);
  troubled_ = trouble.has_value();
  if (troubled_) return;
  manager_.notify("WATCHDOG=1" + status_if_new());
}

std::string ServiceReporter::status_if_new() {
  std::string line = line_();
  if (line == last_line_) return "";
  last_line_ = std::move(line);
  return "\nSTATUS=" + last_line_;
}

}  // namespace claimsd::daemon
