// revocation_control.h: an operator's purges, revocations and withdrawals: their rules, and their
// effect on what the daemon has cached, published or in flight.
//
// Changes the rules of RevocationGuard, which the other parts only read, and expires them. An action
// is in effect for every query that starts after purge() or revoke() returns: first in memory and in
// the published map, then it is written (RevocationLog), then acknowledged. Owned by ClaimsService;
// loop thread.
#pragma once

#include <optional>
#include <vector>

#include "daemon/claims/counters.h"
#include "daemon/claims/ports.h"
#include "daemon/claims/revocation/admin_action.h"
#include "daemon/claims/revocation/revocation_guard.h"
#include "daemon/claims/service/policy.h"
#include "daemon/claims/service/upstream_scheduler.h"
#include "daemon/claims/service/verdict_cache.h"

namespace claimsd::claims {

class RevocationControl {
 public:
  struct Dependencies {
    const Policy& policy;
    Clock& clock;
    Random& random;
    Keyer& keyer;
    Fingerprinter& fingerprinter;
    Publisher& publisher;
    RevocationLog& revocation_log;
    RevocationGuard& guard;
    VerdictCache& cache;
    UpstreamScheduler& upstreams;
    Counters& counters;
  };
  explicit RevocationControl(Dependencies deps) : deps_(deps) {}

  void purge(const AdminAction& action, ActionDone done);
  void revoke(const AdminAction& action, ActionDone done);
  // Withdraws the action with this id.
  void unrevoke(const ActionId& action, std::optional<std::uint32_t> actor_uid, ActionDone done);
  // Puts the rules of one action into effect that another host of the fleet ordered, or a withdrawal.
  // False if there is no room: nothing has changed, and `done` is not called. Otherwise no query that
  // starts after the return is answered valid against them, and `done` is called as for revoke().
  bool apply(const std::vector<Rule>& rules, RevocationLog::Done done);
  bool apply(const Withdrawal& withdrawal, RevocationLog::Done done);
  // Adds what an earlier run stored. Call before the first query.
  void restore(const std::vector<Rule>& rules, const std::vector<Withdrawal>& withdrawals);
  // Drops expired rules, about once a minute.
  void expire(const Now& now);

 private:
  template <class Visit>
  void each_upstream(const AdminAction& action, Visit&& visit);
  void purge_token(const AdminAction& action);
  void purge_user(const AdminAction& action, const Now& now, ActionDone done);
  void purge_all_users(const AdminAction& action, const Now& now, ActionDone done);
  Rule purge_rule(const RuleName& name, const Now& now) const;
  std::vector<Rule> rules_for(const AdminAction& action, const Now& now);
  bool add_rules(const AdminAction& action, const Now& now, RevocationChange& change);
  bool put_into_effect(RevocationChange& change, const Now& now);
  void withdraw_leases(const RuleName& name);
  void keep(RevocationChange change, ActionResult result, ActionDone done);
  bool knows(const AdminAction& action, const Now& now);
  void drop_expired(const Now& now);

  Dependencies deps_;
  BootTime next_expiry_{};  // when to look for expired rules next
};

}  // namespace claimsd::claims
