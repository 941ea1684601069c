// audit_verify.h: `claimsctl audit verify`: the finding for people, with its progress.
#pragma once

#include <string>

#include "client/claimsctl/audit_live.h"
#include "client/claimsctl/output.h"

namespace claimsd::ctl {

struct AuditVerifyWords {
  std::string directory;
  std::string anchors_file;  // empty: those in the directory, where there are any
  std::string root_key;      // hexadecimal; empty: the first one is trusted
};

// kInvalid where the log was touched. What a daemon is writing is asked of `live`.
Exit audit_verify(const AuditVerifyWords& words, const LiveAudit& live, Output& output);

}  // namespace claimsd::ctl
