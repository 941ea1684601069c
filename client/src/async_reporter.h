// async_reporter.h: sends reports without waiting, over a separate connection (a bare socket, no
// other descriptor).
//
// A new connection sends reports right behind the Hello; later calls read the receipts. No call
// waits for the daemon. The number of unacknowledged reports is bounded. Lost ones are counted in
// ReportCounts, and the next report carries the count.
//
// Any thread. Owned by the Handle. After fork() the child starts with no connection.
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
  // Reports without a receipt count as lost.
  ~AsyncReporter();

  // Returns CLAIMSD_SENT, or CLAIMSD_RECORDED if the receipt has arrived already. Otherwise
  // CLAIMSD_UNAVAILABLE with an answer that says why the report is lost (`out` may be null).
  claimsd_result send(const ReportRequest& report_request, claimsd_answer** out);

  // Reads the receipts that have arrived.
  void settle();

  // Call it first in a forked child. Writes nothing to the parent's socket. State that another
  // thread of the parent was changing is leaked, except for its descriptors.
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
