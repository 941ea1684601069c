#include "daemon/host/start_count.h"

#include <sys/mman.h>
#include <unistd.h>

namespace claimsd::host {
namespace {

constexpr char kName[] = "starts";

}  // namespace

StartCount::StartCount(std::vector<InheritedSocket>& inherited, const ServiceManager& manager) {
  for (InheritedSocket& one : inherited) {
    if (one.name == kName) memory_ = std::move(one.fd);
  }
  if (!memory_) {
    memory_ = Fd(memfd_create(kName, MFD_CLOEXEC));
    if (memory_) manager.notify_with("FDSTORE=1\nFDNAME=starts", memory_.get());
  }
  std::uint32_t count = 0;
  if (pread(memory_.get(), &count, sizeof count, 0) == static_cast<ssize_t>(sizeof count))
    crashes_ = count;
  store(crashes_ + 1);
}

// Errors are ignored: then the next start counts as the first.
void StartCount::store(std::uint32_t count) {
  static_cast<void>(!pwrite(memory_.get(), &count, sizeof count, 0));
}

}  // namespace claimsd::host
