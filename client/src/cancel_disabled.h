// cancel_disabled.h: keeps pthread_cancel(3) out of a scope.
//
// A thread canceled inside would take its pool slot, its descriptors and its locks with it. The
// request stays pending and takes effect at the caller's next cancellation point. For deferred
// cancellation: a thread of asynchronous cancelability may call nothing of this library.
#pragma once

#include <pthread.h>

namespace claimsd::client {

class CancelDisabled {
 public:
  CancelDisabled() { pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &before_); }
  CancelDisabled(const CancelDisabled&) = delete;
  CancelDisabled& operator=(const CancelDisabled&) = delete;
  ~CancelDisabled() { pthread_setcancelstate(before_, nullptr); }

 private:
  int before_ = PTHREAD_CANCEL_ENABLE;
};

}  // namespace claimsd::client
