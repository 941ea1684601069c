// fork_guard.h: detects with one memory read that this process is a forked child of the one that
// opened the handle.
//
// The word lies on a page that the kernel zeroes in every child (MADV_WIPEONFORK, madvise(2),
// Linux 4.14). No fork handler is involved, so forks that bypass libc's or Python's hooks are
// detected, too. If the kernel or a seccomp policy denies it, a POSIX timer identifies the
// process: timers are not inherited by fork (timer_create(2)), and this one carries a random
// number, which no other timer shows. That costs one system call a query. Process ids are never
// compared: they repeat, and in nested pid namespaces parent and child may have the same one.
// Any thread.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

namespace claimsd::client {

class ForkGuard {
 public:
  enum class Method : std::uint8_t { kWipedPage, kTimer };
  enum class Created : std::uint8_t { kYes, kNoMemory, kNoMethod };

  ForkGuard() = default;
  ForkGuard(const ForkGuard&) = delete;
  ForkGuard& operator=(const ForkGuard&) = delete;
  ~ForkGuard();

  // Falls back to kTimer by itself. kNoMethod: a fork could not be noticed, so the handle must not
  // be used.
  Created create(Method method = Method::kWipedPage);

  // Runs `reset()` once in each new child, before the first thread passes. In the parent it does
  // nothing. False if this process has no resources for a timer: nothing inherited may be used.
  template <class Reset>
  bool enter(Reset&& reset) {
    if (is_settled()) [[likely]]
      return true;
    switch (claim()) {
      case Claim::kSettled: return true;
      case Claim::kFailed: return false;
      case Claim::kOurs: break;
    }
    reset();
    generation_.fetch_add(1, std::memory_order_relaxed);
    word_->fetch_and(~kResetting, std::memory_order_release);
    return true;
  }

  // Number of forks since the handle was opened. What was made in another generation was inherited
  // across fork().
  std::uint32_t generation() const { return generation_.load(std::memory_order_relaxed); }

 private:
  // Of the word: kWiped is what the kernel leaves in a child. Otherwise a bit that is set while
  // reset() runs, and the process' mark: 1, or for kTimer the timer's number and its secret.
  static constexpr std::uint64_t kWiped = 0;
  static constexpr std::uint64_t kResetting = std::uint64_t{1} << 63;
  static constexpr std::uint64_t kPageMark = 1;

  enum class Claim : std::uint8_t { kOurs, kSettled, kFailed };

  bool is_settled() const {
    const std::uint64_t seen = word_->load(std::memory_order_acquire);
    return method_ == Method::kWipedPage ? seen == kPageMark : is_our_timer(seen);
  }
  // Whether this thread must reset. Waits while another thread of this process resets.
  Claim claim();
  bool is_inherited(std::uint64_t word) const;
  // False for a parent's timer, and while reset() runs.
  static bool is_our_timer(std::uint64_t word);

  std::atomic<std::uint64_t>* word_ = nullptr;
  std::atomic<std::uint32_t> generation_{0};
  Method method_ = Method::kWipedPage;
};

}  // namespace claimsd::client
