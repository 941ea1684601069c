// The C ABI of cancellations.
#include "client/src/cancellation.h"

#include "client/include/claimsd.h"
#include "client/src/memory.h"

namespace client = claimsd::client;

claimsd_result claimsd_cancellation_create(claimsd_cancellation** out) {
  if (out == nullptr) return CLAIMSD_BAD_ARGUMENT;
  *out = client::make_owned<claimsd_cancellation>().release();
  return *out == nullptr ? CLAIMSD_NO_MEMORY : CLAIMSD_OK;
}

void claimsd_cancel(claimsd_cancellation* cancellation) {
  if (cancellation != nullptr) cancellation->cancellation.cancel();
}

void claimsd_cancellation_free(claimsd_cancellation* cancellation) {
  const client::Owned<claimsd_cancellation> freed(cancellation);
}
