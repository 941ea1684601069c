// audit_live.h: records of the log that a daemon is writing, asked of its admin API page by page.
#pragma once

#include <string>

#include "client/claimsctl/problem.h"
#include "daemon/audit/live_query.h"
#include "daemon/audit/search.h"

namespace claimsd::ctl {

class LiveAudit {
 public:
  explicit LiveAudit(std::string admin_socket) : socket_(std::move(admin_socket)) {}

  // All that match from query.first on, in order, up to what is written now. Gives back where the
  // next look begins.
  Expected<daemon::AuditSequence> search(const daemon::AuditQuery& query,
                                         const daemon::AuditVisit& visit) const;
  // The same of the rows as they are stored, one after the other, up to `last`; false: enough.
  using RowVisit = std::function<bool(const daemon::AuditPage::Row& row)>;
  Expected<void> rows(daemon::AuditSequence first, daemon::AuditSequence last,
                      const RowVisit& visit) const;
  // The sequence of the newest record.
  Expected<daemon::AuditSequence> last() const;
  // The segment that is written to, and `last`.
  Expected<daemon::AuditPage> end() const;
  // Where its log is.
  Expected<std::string> directory() const;

 private:
  Expected<daemon::AuditPage> page(const daemon::AuditQuery& query) const;
  Expected<daemon::AuditSequence> each_page(
      daemon::AuditQuery query, const std::function<bool(const daemon::AuditPage&)>& visit) const;

  std::string socket_;
};

}  // namespace claimsd::ctl
