// audit_live.h: reads the log of a running daemon through its admin API, one page at a time.
// Blocking.
#pragma once

#include <string>

#include "client/claimsctl/problem.h"
#include "daemon/audit/live_query.h"
#include "daemon/audit/search.h"

namespace claimsd::ctl {

class LiveAudit {
 public:
  explicit LiveAudit(std::string admin_socket) : socket_(std::move(admin_socket)) {}

  // Visits all matching records in order, from query.first up to the newest one. Returns the
  // sequence at which the next search starts.
  Expected<daemon::AuditSequence> search(const daemon::AuditSearchFilter& query,
                                         const daemon::AuditVisit& visit) const;
  // Visits the stored rows in order up to `last`. The visitor returns false to stop early.
  using RowVisit = std::function<bool(const daemon::AuditPage::Row& row)>;
  Expected<void> rows(daemon::AuditSequence first, daemon::AuditSequence last,
                      const RowVisit& visit) const;
  // The sequence of the newest record.
  Expected<daemon::AuditSequence> last() const;
  // A page without records: only the open segment (`newest`) and `last`.
  Expected<daemon::AuditPage> end() const;
  // The directory of the daemon's log.
  Expected<std::string> directory() const;

 private:
  Expected<daemon::AuditPage> page(const daemon::AuditSearchFilter& query) const;
  Expected<daemon::AuditSequence> each_page(
      daemon::AuditSearchFilter query,
      const std::function<bool(const daemon::AuditPage&)>& visit) const;

  std::string socket_;
};

}  // namespace claimsd::ctl
