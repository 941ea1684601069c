#include "daemon/operator_actions.h"

#include <fmt/core.h>

#include <utility>

#include "daemon/claims/revocation/action_list.h"

namespace claimsd::daemon {

namespace {

// What the rule is about: its subject is a fingerprint, whose name this host does not know.
claims::Subject subject_of(claims::RuleKind kind) {
  switch (kind) {
    case claims::RuleKind::kToken: return claims::Subject::kToken;
    case claims::RuleKind::kUser:
    case claims::RuleKind::kLock:
    case claims::RuleKind::kPurgeUser: return claims::Subject::kUser;
    case claims::RuleKind::kAllUsers:
    case claims::RuleKind::kPurgeAllUsers: break;
  }
  return claims::Subject::kAllUsers;
}

const char* text_of(claims::Subject subject) {
  switch (subject) {
    case claims::Subject::kToken: return "a token";
    case claims::Subject::kUser: return "a user";
    case claims::Subject::kAllUsers: break;
  }
  return "all users";
}

std::optional<std::uint32_t> known_uid(std::uint32_t uid) {
  return uid == claims::kUnknownActor ? std::nullopt : std::optional(uid);
}

}  // namespace

std::string operator_named(std::optional<std::uint32_t> uid) {
  return uid ? fmt::format("uid {}", *uid) : std::string("an unknown user");
}

void OperatorActions::provide(admin::AdminServices& services) {
  services.purge = [this](const claims::AdminAction& action, claims::ActionDone done) {
    purge(action, std::move(done));
  };
  services.revoke = [this](const claims::AdminAction& action, claims::ActionDone done) {
    revoke(action, std::move(done));
  };
  services.unrevoke = [this](const claims::ActionId& id, std::optional<std::uint32_t> by,
                             claims::ActionDone done) { unrevoke(id, by, std::move(done)); };
  const claims::ClaimsService& service = deps_.service;
  services.list_actions = [&service](const auto& after, std::size_t most, const auto& visit) {
    return claims::list_actions(service.revocations(), after, most, visit);
  };
}

FleetMember::Hooks OperatorActions::fleet_hooks() {
  return {.received = [this](const claims::Rule& rule,
                             const std::string& host) { received(rule, host); },
          .withdrawn = [this](const claims::Withdrawal& withdrawal,
                              const std::string& host) { withdrawn(withdrawal, host); },
          .received_many = [this](std::uint64_t count) { received_many(count); }};
}

void OperatorActions::purge(const claims::AdminAction& action, claims::ActionDone done) {
  deps_.service.purge(action, acknowledged(audit::Event::kPurged, action, std::move(done)));
}

void OperatorActions::revoke(const claims::AdminAction& action, claims::ActionDone done) {
  claims::AdminAction timed = action;
  if (deps_.fleet != nullptr) timed.time = deps_.fleet->action_time();
  deps_.service.revoke(timed, acknowledged(audit::Event::kRevoked, action, std::move(done)));
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
  const char* const whom = text_of(action.subject);
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

void OperatorActions::received(const claims::Rule& rule, const std::string& host) {
  const bool purge = claims::is_purge(rule.name.kind);
  const claims::Subject subject = subject_of(rule.name.kind);
  note_received({.kind = purge ? admin::EventKind::kPurged : admin::EventKind::kRevoked,
                 .subject = subject,
                 .uid = known_uid(rule.actor_uid)},
                purge ? audit::Event::kPurged : audit::Event::kRevoked, rule.key.action, host,
                text_of(subject));
}

void OperatorActions::withdrawn(const claims::Withdrawal& withdrawal, const std::string& host) {
  note_received({.kind = admin::EventKind::kUnrevoked, .uid = known_uid(withdrawal.actor_uid)},
                audit::Event::kUnrevoked, withdrawal.action, host, "an earlier action");
}

void OperatorActions::note_received(admin::Event event, audit::Event what,
                                    const claims::ActionId& action, const std::string& host,
                                    const char* subject) {
  deps_.events.add(event);
  deps_.log.info("fleet_received", "{} of host {} {} {} ({}); {} rules in effect",
                 operator_named(event.uid), host, name_of(what), subject, claims::text_of(action),
                 deps_.service.revocation_rules());
  if (deps_.audit == nullptr) return;
  deps_.audit->note({.event = what,
                     .uid = event.uid,
                     .detail = fmt::format("host={} action={}", host, claims::text_of(action))});
}

void OperatorActions::received_many(std::uint64_t count) {
  deps_.log.info("fleet_received", "{} more actions of the fleet are in effect; {} rules", count,
                 deps_.service.revocation_rules());
  if (deps_.audit == nullptr) return;
  deps_.audit->note({.event = audit::Event::kConfigured,
                     .detail = fmt::format("fleet: {} more actions received", count)});
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
