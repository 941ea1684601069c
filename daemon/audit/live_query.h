// live_query.h: queries of the log that is being written: the text form of a query, and its results
// in pages small enough not to delay pending answers.
//
// Pure, except read_audit_page(), which runs on the log's thread (AuditLog::read).
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "daemon/audit/audit_store.h"
#include "daemon/audit/search.h"
#include "daemon/base/result.h"

namespace claimsd::audit {

// A page scans this many records, unless an index leads directly to those of one user or token.
inline constexpr Sequence kAuditPageRecords = 2048;
inline constexpr std::size_t kAuditPageMatches = 256;

struct Page {
  struct Row {
    std::string record;  // encoded (FORMAT.md)
    Link link{};         // as stored
  };
  std::vector<Row> records;
  Sequence next = 0;       // where the next page begins; greater than `last`: no more records yet
  Sequence last = 0;       // last sequence of the log
  SegmentIdentity newest;  // identity of the active segment
};

// Parses name and value pairs: first, since, until (Unix nanoseconds), user, token (fingerprint,
// hex), event, verdict, uid. Rejects unknown names.
Result<SearchFilter> audit_query_from(
    std::span<const std::pair<std::string_view, std::string_view>> parameters);

// The inverse: "first=1&user=…", percent-encoded.
std::string audit_query_text(const SearchFilter& query);

Result<Page> read_audit_page(const Store& store, const SearchFilter& query);

}  // namespace claimsd::audit
