// answer_record.h: what the policy says of an answer, as the record of it. Pure; any thread.
#pragma once

#include "daemon/audit/record.h"
#include "daemon/claims/audit/audit_trail.h"

namespace claimsd::daemon {

// Which row of events.h it is.
AuditEvent audit_event_of(const AuditedEvent& event);

// All but token, peer and the upstream's name, which are not the policy's to know.
AuditRecord audit_record_of(const AuditedEvent& event, const Now& now);

}  // namespace claimsd::daemon
