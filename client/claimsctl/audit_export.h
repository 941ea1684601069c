// audit_export.h: a record as other programs want it: JSON lines of our own, the Elastic Common
// Schema 8.11, the Open Cybersecurity Schema Framework 1.3, or a row of RFC 4180. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "daemon/audit/record.h"

namespace claimsd::ctl {

struct AuditFormat {
  std::string_view name;
  std::string (*line)(const daemon::AuditRecord& record);
  std::string_view header;  // before the first line; may be empty
};

// Null for a name that is none of jsonl, ecs, ocsf, csv.
const AuditFormat* audit_format_named(std::string_view name);

// jsonl: what --json prints of a record, too.
std::string audit_json(const daemon::AuditRecord& record);

}  // namespace claimsd::ctl
