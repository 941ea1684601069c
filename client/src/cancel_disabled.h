// cancel_disabled.h: disables pthread_cancel(3) for a scope.
//
// A canceled thread would leak its pool slot, descriptors and locks. A cancellation request stays
// pending until the caller's next cancellation point. Supports deferred cancellation only: a thread
// with asynchronous cancelability must not call this library.
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
