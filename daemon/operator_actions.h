// operator_actions.h: carries out an operator's purges, revocations and withdrawals.
//
// In this order: the service puts it into effect and on disk, the event feed and the log name it,
// the audit log records it, and it is acknowledged once no worker can trust the map of a predecessor
// any longer. Nothing names a token, or a user outside the audit log. Part of the composition root;
// loop thread.
#pragma once

#include <optional>
#include <string>

#include "daemon/admin/event_feed.h"
#include "daemon/audit/recorder.h"
#include "daemon/claims/service.h"
#include "daemon/log/log.h"
#include "daemon/shm/acknowledgement_hold.h"

namespace claimsd::daemon {

// "uid 0", for the log.
std::string operator_named(std::optional<std::uint32_t> uid);

class OperatorActions {
 public:
  struct Dependencies {
    claims::ClaimsService& service;
    audit::Recorder* audit = nullptr;  // null: no audit log is kept
    admin::EventFeed& events;
    shm::AcknowledgementHold& hold;
    Log& log;
  };
  // The dependencies must outlive this object.
  explicit OperatorActions(Dependencies deps) : deps_(deps) {}

  void purge(const claims::AdminAction& action, claims::ActionDone done);
  void revoke(const claims::AdminAction& action, claims::ActionDone done);
  void unrevoke(const claims::ActionId& id, std::optional<std::uint32_t> by,
                claims::ActionDone done);

 private:
  claims::ActionDone acknowledged(audit::Event what, const claims::AdminAction& action,
                                  claims::ActionDone done);
  void record(audit::Recorder::AdminRecord entry, const claims::ActionResult& result,
              claims::ActionDone done);

  Dependencies deps_;
};

}  // namespace claimsd::daemon
