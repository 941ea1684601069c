// fork_guard.h: notices, at the cost of one memory read, that this process is a child of the one
// that opened the handle.
//
// The word lies on a page that the kernel zeroes in every child (MADV_WIPEONFORK, madvise(2),
// Linux 4.14); no fork handler is involved, so forks that bypass libc's or Python's hooks are seen,
// too. Where the kernel lacks it, the pid is compared instead, a system call a question. Any
// thread.
#pragma once

#include <sched.h>
#include <sys/types.h>
#include <unistd.h>

#include <atomic>
#include <cstdint>

namespace claimsd::client_impl {

class ForkGuard {
 public:
  enum class Method : std::uint8_t { kWipedPage, kPid };

  ForkGuard() = default;
  ForkGuard(const ForkGuard&) = delete;
  ForkGuard& operator=(const ForkGuard&) = delete;
  ~ForkGuard();

  // False when there is no memory. Falls back to kPid by itself.
  bool create(Method method = Method::kWipedPage);

  // Runs `reset()` once in each new child, before the first thread passes. In the parent it does
  // nothing.
  template <class Reset>
  void enter(Reset&& reset) {
    if (settled()) [[likely]]
      return;
    std::uint32_t seen = word_->load(std::memory_order_acquire);
    while (seen == kResetting || !word_->compare_exchange_weak(seen, kResetting)) {
      sched_yield();
      seen = word_->load(std::memory_order_acquire);
    }
    if (seen == kWiped || pid_ != getpid()) {
      reset();
      pid_ = getpid();
      generation_.fetch_add(1, std::memory_order_relaxed);
    }
    word_->store(kReady, std::memory_order_release);
  }

  // Counts the forks between the opening process and this one. Something made at another generation
  // was inherited.
  std::uint32_t generation() const { return generation_.load(std::memory_order_relaxed); }

 private:
  static constexpr std::uint32_t kWiped = 0;  // what the kernel leaves in a child
  static constexpr std::uint32_t kReady = 1;
  static constexpr std::uint32_t kResetting = 2;

  bool settled() const {
    return word_->load(std::memory_order_acquire) == kReady &&
           (method_ == Method::kWipedPage || pid_ == getpid());
  }

  std::atomic<std::uint32_t>* word_ = nullptr;
  std::atomic<std::uint32_t> generation_{0};
  std::atomic<pid_t> pid_{0};
  Method method_ = Method::kWipedPage;
};

}  // namespace claimsd::client_impl
