// admin_harness.h: what the tests of the admin API share.
#pragma once

#include "daemon/admin/status.h"

namespace claimsd::admin {

// A status with a different number in every field.
DaemonStatus sample_status();

}  // namespace claimsd::admin
