// live_query.h: what somebody asks of the log that is being written: a query as text, and its
// answer in pages small enough that no answer waits for it.
//
// Pure; read_page() on the log's thread (AuditLog::read).
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "daemon/audit/audit_store.h"
#include "daemon/audit/search.h"
#include "daemon/base/result.h"

namespace claimsd::daemon {

// A page looks at this many records, unless an index leads it to those of one user or token.
inline constexpr AuditSequence kAuditPageRecords = 2048;
inline constexpr std::size_t kAuditPageMatches = 256;

struct AuditPage {
  struct Row {
    std::string record;  // encoded (FORMAT.md)
    AuditLink link{};    // as it is stored
  };
  std::vector<Row> records;
  AuditSequence next = 0;       // where the next page begins; past `last`: there is none yet
  AuditSequence last = 0;       // of the log
  AuditSegmentIdentity newest;  // where the segment begins that is written to
};

// From name and value: first, since, until (Unix nanoseconds), user, token (its name in the
// records, hexadecimal), event, verdict, uid. Refuses what it does not know.
Result<AuditQuery> audit_query_from(
    std::span<const std::pair<std::string_view, std::string_view>> parameters);

// The same back as text: "first=1&user=…", percent-encoded.
std::string audit_query_text(const AuditQuery& query);

Result<AuditPage> read_audit_page(const AuditStore& store, const AuditQuery& query);

}  // namespace claimsd::daemon
