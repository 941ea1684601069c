// answer_record.h: converts an audited answer, report or lease of the policy into an audit record.
// Pure; any thread.
#pragma once

#include "daemon/audit/record.h"
#include "daemon/claims/audit/audit_sink.h"

namespace claimsd::audit {

// The event's row in events.h.
Event audit_event_of(const claims::AuditedEvent& event);

// Fills everything except token, peer and upstream name, which the policy does not know.
Record audit_record_of(const claims::AuditedEvent& event, const Now& now);

}  // namespace claimsd::audit
