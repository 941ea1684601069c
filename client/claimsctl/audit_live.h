// audit_live.h: reads the log of a running daemon through its admin API, one page at a time.
// Blocking.
#pragma once

#include <string>

#include "client/claimsctl/problem.h"
#include "daemon/audit/live_query.h"
#include "daemon/audit/search.h"

namespace claimsd::claimsctl {

class LiveAudit {
 public:
  explicit LiveAudit(std::string admin_socket) : socket_(std::move(admin_socket)) {}

  // Visits all matching records in order, from query.first up to the newest one. Returns the
  // sequence at which the next search starts.
  Expected<audit::Sequence> search(const audit::SearchFilter& query,
                                   const audit::Visit& visit) const;
  // Visits the stored rows in order up to `last`. The visitor returns false to stop early.
  using RowVisit = std::function<bool(const audit::Page::Row& row)>;
  Expected<void> rows(audit::Sequence first, audit::Sequence last, const RowVisit& visit) const;
  // The sequence of the newest record.
  Expected<audit::Sequence> last() const;
  // A page without records: only the open segment (`newest`) and `last`.
  Expected<audit::Page> end() const;
  // The directory of the daemon's log.
  Expected<std::string> directory() const;

 private:
  Expected<audit::Page> page(const audit::SearchFilter& query) const;
  Expected<audit::Sequence> each_page(audit::SearchFilter query,
                                      const std::function<bool(const audit::Page&)>& visit) const;

  std::string socket_;
};

}  // namespace claimsd::claimsctl
