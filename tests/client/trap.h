// trap.h: runs an action at an exact point in the middle of a read.
//
// The trap makes a page unreadable. The next access raises SIGSEGV; the handler makes the page
// readable again and runs the action on the reader's thread. This reproduces a race between two
// threads deterministically. One trap at a time.
#pragma once

#include <signal.h>
#include <sys/mman.h>

#include <functional>
#include <stdexcept>

namespace claimsd::testing {

class Trap {
 public:
  Trap(void* page, std::size_t size, std::function<void()> action)
      : page_(page), size_(size), action_(std::move(action)) {
    armed() = this;
    struct sigaction handler {};
    handler.sa_handler = [](int /*signal*/) { armed()->spring(); };
    handler.sa_flags = SA_NODEFER;
    if (sigaction(SIGSEGV, &handler, &before_) != 0 || mprotect(page, size, PROT_NONE) != 0) {
      throw std::runtime_error("no trap");
    }
  }
  Trap(const Trap&) = delete;
  Trap& operator=(const Trap&) = delete;
  ~Trap() {
    if (!sprung_) mprotect(page_, size_, PROT_READ);
    sigaction(SIGSEGV, &before_, nullptr);
  }

  bool sprung() const { return sprung_; }

 private:
  static Trap*& armed() {
    static Trap* trap = nullptr;
    return trap;
  }

  void spring() {
    if (sprung_) {  // another fault: a real one
      sigaction(SIGSEGV, &before_, nullptr);
      return;
    }
    sprung_ = true;
    mprotect(page_, size_, PROT_READ);
    action_();
  }

  void* page_;
  std::size_t size_;
  std::function<void()> action_;
  struct sigaction before_ {};
  bool sprung_ = false;
};

}  // namespace claimsd::testing
