// report_counts.h: how many refusals of this process are in the audit log, how many may not be, and
// how many of these the daemon has not been told of yet.
//
// Any thread. Whoever sends a report takes what is untold with it, and gives it back with the
// report itself should no receipt come: nothing is told twice unless its receipt was lost.
#pragma once

#include <atomic>
#include <cstdint>

namespace claimsd::client_impl {

class ReportCounts {
 public:
  std::uint64_t recorded() const { return recorded_.load(std::memory_order_relaxed); }
  std::uint64_t lost() const { return lost_.load(std::memory_order_relaxed); }

  // What goes with a report that is about to be sent; as much as the wire can say.
  std::uint32_t take_untold() {
    const std::uint64_t untold = untold_.exchange(0, std::memory_order_relaxed);
    if (untold <= UINT32_MAX) return static_cast<std::uint32_t>(untold);
    untold_.fetch_add(untold - UINT32_MAX, std::memory_order_relaxed);
    return UINT32_MAX;
  }
  void count_recorded() { recorded_.fetch_add(1, std::memory_order_relaxed); }
  // A report that told of `told` earlier ones has no receipt.
  void count_lost(std::uint32_t told) {
    lost_.fetch_add(1, std::memory_order_relaxed);
    untold_.fetch_add(std::uint64_t{told} + 1, std::memory_order_relaxed);
  }
  // In a forked child: they are the parent's.
  void forget() {
    recorded_ = 0;
    lost_ = 0;
    untold_ = 0;
  }

 private:
  std::atomic<std::uint64_t> recorded_{0};
  std::atomic<std::uint64_t> lost_{0};
  std::atomic<std::uint64_t> untold_{0};
};

}  // namespace claimsd::client_impl
