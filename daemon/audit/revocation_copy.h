// revocation_copy.h: reads the head of the revocations that the audit log repeats in each segment.
// Call before the log is opened; blocks on the disk.
#pragma once

#include <optional>
#include <string>

#include "daemon/base/result.h"
#include "daemon/claims/revocation/set_head.h"

namespace claimsd::audit {

// From the newest segment that can be read. Nothing if there is no log. Fails if no segment can be read.
Result<std::optional<claims::SetHead>> read_revocation_copy(const std::string& directory);

}  // namespace claimsd::audit
