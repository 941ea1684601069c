#include "daemon/operator_actions.h"

#include <fmt/core.h>

#include <utility>

namespace claimsd::daemon {

std::string operator_named(std::optional<std::uint32_t> uid) {
  return uid ? fmt::format("uid {}", *uid) : std::string("an unknown user");
}

void OperatorActions::purge(const claims::AdminAction& action, claims::ActionDone done) {
  deps_.service.purge(action, acknowledged(audit::Event::kPurged, action, std::move(done)));
}

void OperatorActions::revoke(const claims::AdminAction& action, claims::ActionDone done) {
  deps_.service.revoke(action, acknowledged(audit::Event::kRevoked, action, std::move(done)));
}

void OperatorActions::unrevoke(const claims::ActionId& id, std::optional<std::uint32_t> by,
                               claims::ActionDone done) {
  deps_.service.unrevoke(
      id, by, [this, by, done = std::move(done)](const claims::ActionResult& result) {
        if (result.outcome != claims::ActionOutcome::kDone) return done(result);
        deps_.events.add({.kind = admin::EventKind::kUnrevoked, .uid = by});
        deps_.log.info("unrevoked", "{} withdrew the revocation {}; {} rules in effect",
                       operator_named(by), claims::text_of(*result.id),
                       deps_.service.revocation_rules());
        record({.event = audit::Event::kUnrevoked, .uid = by}, result, done);
      });
}

claims::ActionDone OperatorActions::acknowledged(audit::Event what,
                                                 const claims::AdminAction& action,
                                                 claims::ActionDone done) {
  const char* const whom = action.subject == claims::Subject::kToken  ? "a token"
                           : action.subject == claims::Subject::kUser ? "a user"
                                                                      : "all users";
  const std::string who = operator_named(action.actor_uid);
  const admin::Event event{.kind = what == audit::Event::kPurged ? admin::EventKind::kPurged
                                                                 : admin::EventKind::kRevoked,
                           .subject = action.subject,
                           .uid = action.actor_uid};
  // Made before the action runs: running it erases its subject.
  auto entry = deps_.audit != nullptr ? deps_.audit->admin_record_of(what, action)
                                      : audit::Recorder::AdminRecord{};
  return [this, what, whom, who, event, entry = std::move(entry),
          done = std::move(done)](const claims::ActionResult& result) {
    if (result.outcome != claims::ActionOutcome::kDone) return done(result);
    deps_.events.add(event);
    deps_.log.info(name_of(what), "{} {} {}; {} rules in effect", who, name_of(what), whom,
                   deps_.service.revocation_rules());
    record(entry, result, done);
  };
}

void OperatorActions::record(audit::Recorder::AdminRecord entry, const claims::ActionResult& result,
                             claims::ActionDone done) {
  shm::AcknowledgementHold& hold = deps_.hold;
  if (deps_.audit == nullptr) return hold.after([done, result] { done(result); });
  if (result.id) {
    if (!entry.detail.empty()) entry.detail += ' ';
    entry.detail += "action=" + claims::text_of(*result.id);
  }
  deps_.audit->note(std::move(entry), [&hold, done = std::move(done), result](bool durable) {
    claims::ActionResult known = result;
    known.recorded = durable;
    hold.after([done, known] { done(known); });
  });
}

}  // namespace claimsd::daemon
