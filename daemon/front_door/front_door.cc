#include "daemon/front_door/front_door.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "proto/messages.h"

namespace claimsd::front_door {
namespace {

using Kind = Decision::Kind;

void count(unsigned status, Counters& counters) {
  switch (status) {
    case 200: ++counters.http_allowed; return;
    case 401: ++counters.http_unauthorized; return;
    case 403: ++counters.http_denied; return;
    case 404: ++counters.http_unknown; return;
    default: ++counters.http_unavailable;
  }
}

// The route in audit records: which requirement applied.
std::string route_of(const Question& question) {
  return question.resource == Resource::kDocument ? "/api/me/" : "/v1/auth/" + question.gate;
}

std::uint32_t uid_of(const Question& question) {
  return question.peer ? question.peer->uid : kTcpUid;
}

claims::Origin origin_of(const Question& question, std::string_view route) {
  return {.client_address = question.client_address, .trace_id = question.trace_id, .route = route};
}

}  // namespace

FrontDoor::FrontDoor(Settings settings, loop::Loop& loop)
    : settings_(std::make_shared<const Settings>(std::move(settings))),
      idle_(loop, [this] { continue_deferred(); }) {}

FrontDoor::~FrontDoor() = default;

Result<std::unique_ptr<FrontDoor>> FrontDoor::create(std::vector<Fd> listening, Settings settings,
                                                     const HttpLimits& limits, loop::Loop& loop) {
  std::unique_ptr<FrontDoor> self(new FrontDoor(settings, loop));
  self->thread_ = TRY(HttpThread::create(
      std::move(listening), std::move(settings), limits, loop,
      [door = self.get()](Question&& question) { door->ask(std::move(question)); }));
  return self;
}

void FrontDoor::reconfigure(Settings settings) {
  thread_->reconfigure(settings);
  settings_ = std::make_shared<const Settings>(std::move(settings));
}

void FrontDoor::ask(Question&& question) {
  const std::uint64_t connection = question.id | kMark;
  Waiting& waiting = waiting_[connection];
  waiting.question = std::make_shared<const Question>(std::move(question));
  waiting.settings = settings_;
  waiting.decision.resource = waiting.question->resource;
  waiting.target = target_of(waiting.question->resource, waiting.question->gate,
                             waiting.question->peer, *settings_);
  waiting.decision.kind = waiting.target.kind;
  if (waiting.decision.kind != Kind::kAnswered) return finish(connection);
  if (!waiting.question->token.empty()) return query(connection, waiting);
  waiting.decision.kind = Kind::kNoToken;
  report(connection, waiting);
}

void FrontDoor::query(std::uint64_t connection, const Waiting& waiting) {
  const std::shared_ptr<const Question> question = waiting.question;
  const std::string route = route_of(*question);
  service_->query({.upstream = waiting.target.upstream,
                   .token = question->token.view(),
                   .max_age = waiting.fetches_again ? std::optional(Duration(0)) : std::nullopt,
                   .timeout = {},
                   .wants_lease = true,
                   .wants_document = question->resource == Resource::kDocument,
                   .uid = uid_of(*question),
                   .origin = origin_of(*question, route)},
                  {.connection = connection, .request = 0});
}

void FrontDoor::answer(const claims::Waiter& waiter, const claims::Answer& answer) {
  const auto found = waiting_.find(waiter.connection);
  if (found == waiting_.end()) return;
  Waiting& waiting = found->second;
  Decision& decision = waiting.decision;
  decision.reason = answer.reason;
  decision.retry_after = answer.retry_after;
  if (decision.reason != proto::Reason::kOk) return finish(waiter.connection);
  if (decision.resource == Resource::kDocument && !takes_document(waiting, answer)) {
    if (!std::exchange(waiting.fetches_again, true)) return defer(waiter.connection);
    decision.reason = proto::Reason::kUpstreamTooLarge;
    return finish(waiter.connection);
  }
  proto::ClaimsView claims;
  const bool admitted = proto::decode_claims(answer.claims, claims) &&
                        (waiting.target.gate == nullptr || waiting.target.gate->admits(claims));
  if (!admitted) {
    decision.kind = Kind::kDenied;
    return defer(waiter.connection);
  }
  decision.claims = Secret(answer.claims);
  finish(waiter.connection);
}

// False if the answer does not have the whole document. A part of it could pass for the Auth API's
// own.
bool FrontDoor::takes_document(Waiting& waiting, const claims::Answer& answer) {
  if (has_whole_document(answer.flags)) return true;
  waiting.decision.document = Secret(answer.document);
  return !answer.document.empty();
}

void FrontDoor::defer(std::uint64_t connection) {
  deferred_.push_back(connection);
  idle_.start();
}

void FrontDoor::continue_deferred() {
  for (const std::uint64_t connection : std::exchange(deferred_, {})) {
    const auto found = waiting_.find(connection);
    if (found == waiting_.end()) continue;
    const Waiting& waiting = found->second;
    if (waiting.decision.kind == Kind::kDenied) {
      report(connection, waiting);
    } else {
      query(connection, waiting);
    }
  }
  if (deferred_.empty()) idle_.stop();
}

// The receipt finishes it.
void FrontDoor::report(std::uint64_t connection, const Waiting& waiting) {
  const std::shared_ptr<const Question> question = waiting.question;
  const std::string route = route_of(*question);
  const std::string required = waiting.target.gate
                                   ? fmt::format("{}", fmt::join(waiting.target.gate->roles, ","))
                                   : std::string();
  service_->report({.upstream = waiting.target.upstream,
                    .uid = uid_of(*question),
                    .timeout = {},
                    .status = static_cast<int>(status_of(waiting.decision)),
                    .reason = proto::Reason::kOk,
                    .token = question->token.view(),
                    .user = {},
                    .method = question->method,
                    .required = std::string_view(required).substr(0, proto::kMaxRequired),
                    .origin = origin_of(*question, route),
                    .unacknowledged = 0},
                   {.connection = connection, .request = 0});
}

void FrontDoor::receipt(const claims::Waiter& waiter, proto::Reason /*reason*/) {
  finish(waiter.connection);
}

void FrontDoor::finish(std::uint64_t connection) {
  const auto found = waiting_.find(connection);
  if (found == waiting_.end()) return;
  const std::uint64_t id = found->second.question->id;
  Decision decision = std::move(found->second.decision);
  waiting_.erase(found);
  count(status_of(decision), counters_);
  thread_->decide(id, std::move(decision));
}

Counters FrontDoor::counters() const {
  Counters all = counters_;
  all.http_allowed += thread_->allowed();
  all.http_rejected = thread_->rejected();
  return all;
}

const loop::PeerCredentials* FrontDoor::peer(std::uint64_t connection) const {
  const auto found = waiting_.find(connection);
  if (found == waiting_.end() || !found->second.question->peer) return nullptr;
  return &*found->second.question->peer;
}

}  // namespace claimsd::front_door
