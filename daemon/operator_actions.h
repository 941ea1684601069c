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
#include "daemon/admin/routes.h"
#include "daemon/audit/recorder.h"
#include "daemon/claims/service.h"
#include "daemon/fleet_member.h"
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
    const FleetMember* fleet = nullptr;  // null: this host is in no fleet
  };
  // The dependencies must outlive this object.
  explicit OperatorActions(Dependencies deps) : deps_(deps) {}

  // The orders of the admin API, and the list of those in force.
  void provide(admin::AdminServices& services);
  // What operators of other hosts of the fleet ordered, which is in effect here, is logged, recorded
  // and added to the event feed.
  FleetMember::Hooks fleet_hooks();

  void purge(const claims::AdminAction& action, claims::ActionDone done);
  void revoke(const claims::AdminAction& action, claims::ActionDone done);
  void unrevoke(const claims::ActionId& id, std::optional<std::uint32_t> by,
                claims::ActionDone done);

 private:
  void received(const claims::Rule& rule, const std::string& host);
  void withdrawn(const claims::Withdrawal& withdrawal, const std::string& host);
  void received_many(std::uint64_t count);
  void note_received(admin::Event event, audit::Event what, const claims::ActionId& action,
                     const std::string& host, const char* subject);
  claims::ActionDone acknowledged(audit::Event what, const claims::AdminAction& action,
                                  claims::ActionDone done);
  void record(audit::Recorder::AdminRecord entry, const claims::ActionResult& result,
              claims::ActionDone done);

  Dependencies deps_;
};

}  // namespace claimsd::daemon
