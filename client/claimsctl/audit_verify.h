// audit_verify.h: `claimsctl audit verify`: verifies the log and prints progress and result.
#pragma once

#include <string>

#include "client/claimsctl/audit_live.h"
#include "client/claimsctl/output.h"

namespace claimsd::claimsctl {

struct AuditVerifyWords {
  std::string directory;
  std::string anchors_file;  // empty: use those in the log directory, if any
  std::string root_key;      // hexadecimal; empty: trust the first key found
};

// Returns kInvalid if the log was tampered with. The open segment is read through `live`.
Exit audit_verify(const AuditVerifyWords& words, const LiveAudit& live, Output& output);

}  // namespace claimsd::claimsctl
