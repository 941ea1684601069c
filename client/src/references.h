// references.h: counts the owners of a handle and the calls that block in it. The last one frees it.
//
// One word has both counts, so exactly one thread sees both reach zero. They are separate because a
// forked child inherits the count of calls, but not the threads that would end them. Any thread.
#pragma once

#include <atomic>
#include <cstdint>

namespace claimsd::client {

class References {
 public:
  void add_owner() { word_.fetch_add(kOwner, std::memory_order_relaxed); }
  void add_call() { word_.fetch_add(kCall, std::memory_order_relaxed); }
  // True if no owner and no call is left.
  bool remove_owner() { return word_.fetch_sub(kOwner, std::memory_order_acq_rel) == kOwner; }
  bool remove_call() { return word_.fetch_sub(kCall, std::memory_order_acq_rel) == kCall; }

  // In a forked child.
  void forget_calls() { word_.fetch_and(~(kOwner - 1), std::memory_order_relaxed); }

 private:
  static constexpr std::uint64_t kCall = 1;
  static constexpr std::uint64_t kOwner = std::uint64_t{1} << 32;

  std::atomic<std::uint64_t> word_{kOwner};
};

}  // namespace claimsd::client
