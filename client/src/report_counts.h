// report_counts.h: counts the recorded and lost reports of this process, and the lost ones that the
// daemon does not know of yet.
//
// Any thread. A report takes the undelivered count with it. If it gets no receipt, count_lost()
// restores the count, so a loss is reported twice only if the receipt was lost.
#pragma once

#include <atomic>
#include <cstdint>

namespace claimsd::client {

class ReportCounts {
 public:
  std::uint64_t recorded() const { return recorded_.load(std::memory_order_relaxed); }
  std::uint64_t lost() const { return lost_.load(std::memory_order_relaxed); }

  // What goes with a report that is about to be sent; as much as the wire can say.
  std::uint32_t take_undelivered() {
    const std::uint64_t undelivered = undelivered_.exchange(0, std::memory_order_relaxed);
    if (undelivered <= UINT32_MAX) return static_cast<std::uint32_t>(undelivered);
    undelivered_.fetch_add(undelivered - UINT32_MAX, std::memory_order_relaxed);
    return UINT32_MAX;
  }
  void count_recorded() { recorded_.fetch_add(1, std::memory_order_relaxed); }
  // A report that carried a count of `delivered` losses got no receipt.
  void count_lost(std::uint32_t delivered) {
    lost_.fetch_add(1, std::memory_order_relaxed);
    undelivered_.fetch_add(std::uint64_t{delivered} + 1, std::memory_order_relaxed);
  }
  // In a forked child: they are the parent's.
  void forget() {
    recorded_ = 0;
    lost_ = 0;
    undelivered_ = 0;
  }

 private:
  std::atomic<std::uint64_t> recorded_{0};
  std::atomic<std::uint64_t> lost_{0};
  std::atomic<std::uint64_t> undelivered_{0};
};

}  // namespace claimsd::client
