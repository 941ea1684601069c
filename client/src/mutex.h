// mutex.h: POSIX mutex and condition; those of libstdc++ would need it at run time.
//
// renew() makes them afresh in a forked child, where a thread that does not exist there may hold
// them.
#pragma once

#include <pthread.h>

#include <new>

#include "client/src/deadline.h"

namespace claimsd::client_impl {

class Mutex {
 public:
  Mutex() { init(); }
  Mutex(const Mutex&) = delete;
  Mutex& operator=(const Mutex&) = delete;
  ~Mutex() {
    pthread_cond_destroy(&changed_);
    pthread_mutex_destroy(&mutex_);
  }

  void lock() { pthread_mutex_lock(&mutex_); }
  bool try_lock() { return pthread_mutex_trylock(&mutex_) == 0; }
  void unlock() { pthread_mutex_unlock(&mutex_); }
  void wake_one() { pthread_cond_signal(&changed_); }

  // Returns when woken, spuriously or not, and false once the deadline has passed. Locked before
  // and after.
  bool wait(Deadline deadline) {
    const timespec until = to_timespec(deadline.at_ns);
    return pthread_cond_timedwait(&changed_, &mutex_, &until) == 0;
  }

  void renew() { init(); }

 private:
  void init() {
    mutex_ = PTHREAD_MUTEX_INITIALIZER;
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&changed_, &attributes);
    pthread_condattr_destroy(&attributes);
  }

  pthread_mutex_t mutex_;
  pthread_cond_t changed_;
};

class Locked {
 public:
  explicit Locked(Mutex& mutex) : mutex_(mutex) { mutex_.lock(); }
  Locked(const Locked&) = delete;
  Locked& operator=(const Locked&) = delete;
  ~Locked() { mutex_.unlock(); }

 private:
  Mutex& mutex_;
};

}  // namespace claimsd::client_impl
