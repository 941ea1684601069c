// signals_blocked.h: starts a thread that receives no signals (pthread_sigmask(3)).
#pragma once

#include <pthread.h>
#include <signal.h>

namespace claimsd::loop {

// A thread started while this exists receives no signals: they are for the loop thread.
class SignalsBlocked {
 public:
  SignalsBlocked() {
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before_);
  }
  ~SignalsBlocked() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
  SignalsBlocked(const SignalsBlocked&) = delete;
  SignalsBlocked& operator=(const SignalsBlocked&) = delete;

 private:
  sigset_t before_{};
};

}  // namespace claimsd::loop
