// start_count.h: counts the starts in a row that crashed, across restarts by the service manager, so
// that a daemon that crashes at each start backs off. Main thread, at start.
//
// The count is in a memfd that the service manager keeps and passes on (sd_notify(3), "FDSTORE=1";
// FileDescriptorStoreMax= of the unit). Without one every start counts as the first.
#pragma once

#include <cstdint>
#include <vector>

#include "daemon/base/fd.h"
#include "daemon/host/service_manager.h"

namespace claimsd::host {

class StartCount {
 public:
  // Takes the memfd out of `inherited`, or creates it and passes it to the service manager. Counts
  // this start as a crash until finished() is called.
  StartCount(std::vector<InheritedSocket>& inherited, const ServiceManager& manager);

  // Starts before this one that crashed, since the last that did not.
  std::uint32_t crashes() const { return crashes_; }
  // This start did not crash.
  void finished() { store(0); }

 private:
  void store(std::uint32_t count);

  Fd memory_;
  std::uint32_t crashes_ = 0;
};

}  // namespace claimsd::host
