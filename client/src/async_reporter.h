// async_reporter.h: reports that no caller waits for, over a connection of their own: a bare socket,
// and no other descriptor.
//
// A report is handed to the kernel, on a new connection right behind the Hello, and its receipt is
// read by a later call: nothing waits for the daemon. What has no receipt yet is bounded; what
// never gets one is counted in ReportCounts, and told with the next report.
//
// Any thread. After fork() a child's lane starts afresh.
#pragma once

#include <cstdint>

#include "client/include/claimsd.h"
#include "client/src/mutex.h"

namespace claimsd::client {

class Handle;
class Stream;
struct ReportRequest;

class AsyncReporter {
 public:
  explicit AsyncReporter(Handle& handle) : handle_(handle) {}
  AsyncReporter(const AsyncReporter&) = delete;
  AsyncReporter& operator=(const AsyncReporter&) = delete;
  // What has no receipt yet counts as lost.
  ~AsyncReporter();

  // CLAIMSD_SENT, or CLAIMSD_RECORDED where the receipt is there already; else
  // CLAIMSD_UNAVAILABLE with an answer that says why it is lost (`out` may be null).
  claimsd_result send(const ReportRequest& report_request, claimsd_answer** out);

  // Reads the receipts that have come.
  void settle();

  // In a forked child, before anything else: nothing is written to the parent's socket. What
  // another thread of the parent was changing at the fork is left alone, but for its descriptors.
  void abandon();

 private:
  bool open();
  claimsd_result progress(std::uint64_t tag, claimsd_answer** out);

  Handle& handle_;
  Mutex mutex_;
  Stream* stream_ = nullptr;  // made by the first report
  std::uint64_t last_tag_ = 0;
};

}  // namespace claimsd::client
