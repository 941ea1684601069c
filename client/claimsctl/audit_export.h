// audit_export.h: audit records in exchange formats: claimsd's own JSON lines, Elastic Common
// Schema 8.11, Open Cybersecurity Schema Framework 1.3, and CSV (RFC 4180). Pure functions.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "daemon/audit/record.h"

namespace claimsd::claimsctl {

struct AuditFormat {
  std::string_view name;
  std::string (*line)(const audit::Record& record);
  std::string_view header;  // printed before the first line; may be empty
};

// `name` is jsonl, ecs, ocsf or csv; null for any other.
const AuditFormat* audit_format_named(std::string_view name);

// The jsonl format, which --json uses as well.
std::string audit_json(const audit::Record& record);

}  // namespace claimsd::claimsctl
