// audit_live.h: records of the log that a daemon is writing, asked of its admin API page by page.
#pragma once

#include <string>

#include "client/claimsctl/problem.h"
#include "daemon/audit/search.h"

namespace claimsd::ctl {

class LiveAudit {
 public:
  explicit LiveAudit(std::string admin_socket) : socket_(std::move(admin_socket)) {}

  // All that match from query.first on, in order, up to what is written now. Gives back where the
  // next look begins.
  Expected<daemon::AuditSequence> search(daemon::AuditQuery query,
                                         const daemon::AuditVisit& visit) const;
  // The sequence of the newest record.
  Expected<daemon::AuditSequence> last() const;

 private:
  struct Page {
    std::vector<daemon::AuditRecord> records;
    daemon::AuditSequence next = 0;
    daemon::AuditSequence last = 0;
  };
  Expected<Page> page(const daemon::AuditQuery& query) const;

  std::string socket_;
};

}  // namespace claimsd::ctl
