// mutex.h: POSIX mutex and condition variable, so that the library does not need libstdc++ at run
// time.
//
// renew() initializes a mutex again in a forked child, where a thread that does not exist may hold
// it.
#pragma once

#include <pthread.h>

#include "client/src/deadline.h"

namespace claimsd::client {

class Mutex {
 public:
  Mutex() = default;
  Mutex(const Mutex&) = delete;
  Mutex& operator=(const Mutex&) = delete;
  ~Mutex() { pthread_mutex_destroy(&mutex_); }

  void lock() { pthread_mutex_lock(&mutex_); }
  bool try_lock() { return pthread_mutex_trylock(&mutex_) == 0; }
  void unlock() { pthread_mutex_unlock(&mutex_); }
  void renew() { mutex_ = PTHREAD_MUTEX_INITIALIZER; }

 private:
  friend class Condition;

  pthread_mutex_t mutex_ = PTHREAD_MUTEX_INITIALIZER;
};

// For one waiting thread.
class Condition {
 public:
  Condition() {
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&changed_, &attributes);
    pthread_condattr_destroy(&attributes);
  }
  Condition(const Condition&) = delete;
  Condition& operator=(const Condition&) = delete;
  ~Condition() { pthread_cond_destroy(&changed_); }

  void wake() { pthread_cond_signal(&changed_); }

  // Returns true when woken, possibly spuriously; false once the deadline has passed or is canceled.
  // The mutex is locked before and after.
  bool wait(Mutex& mutex, const Deadline& deadline) {
    const timespec until = to_timespec(deadline.slice_end_ns());
    if (pthread_cond_timedwait(&changed_, &mutex.mutex_, &until) == 0) return true;
    return deadline.cancellation != nullptr && deadline.remaining_ms() > 0;
  }

 private:
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

}  // namespace claimsd::client
