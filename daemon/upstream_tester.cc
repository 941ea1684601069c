#include "daemon/upstream_tester.h"

#include "daemon/wiring.h"

namespace claimsd::daemon {
namespace {

admin::UpstreamTest describe(const claims::UpstreamPolicy& policy, const Secret& token,
                             const claims::FetchOutcome& outcome) {
  const claims::JwtTimes times = claims::read_jwt_times(token.view());
  claims::JsonBuffers buffers;
  const claims::Judgement judgement =
      claims::judge(outcome, policy, {token.view(), times}, buffers);
  admin::UpstreamTest test{.upstream = policy.name,
                           .reason = judgement.reason,
                           .detail = judgement.detail,
                           .status = outcome.status,
                           .took = outcome.took,
                           .content_type = outcome.content_type,
                           .cache_control = outcome.cache_control,
                           .body_bytes = outcome.body.view().size(),
                           .truncated = judgement.claims.truncated};
  if (outcome.failure != proto::Reason::kOk || outcome.status != 200) return test;
  test.token = claims::describe_token(token.view(), policy.mapping);
  test.document = claims::describe_document(outcome.body.view(), policy.mapping);
  return test;
}

}  // namespace

admin::TestStart UpstreamTester::start(const config::Config& config, std::string_view name,
                                       std::string_view token, std::string_view who,
                                       admin::UpstreamTestDone done) {
  const std::optional<claims::UpstreamId> upstream =
      name.empty() ? default_upstream(config) : upstream_named(config, name);
  if (!upstream) return admin::TestStart::kUnknownUpstream;
  if (tests_.size() >= kMaxTests) return admin::TestStart::kBusy;
  claims::UpstreamPolicy policy = policy_from(config).upstreams.at(*upstream);
  log_.info("upstream_tested", "{} tests {} with one request", who, policy.name);
  const claims::FlightId id = next_++;
  const Test& test =
      tests_.emplace(id, Test{std::move(policy), Secret(token), std::move(done)}).first->second;
  // A new connection: the answer is that of the instance that serves now.
  upstream_.start(id, *upstream, 0, test.token, claims::Connect::kFresh);
  return admin::TestStart::kStarted;
}

bool UpstreamTester::on_complete(claims::FlightId id, const claims::FetchOutcome& outcome) {
  const auto found = tests_.find(id);
  if (found == tests_.end()) return false;
  const Test test = std::move(found->second);
  tests_.erase(found);
  test.done(describe(test.policy, test.token, outcome));
  return true;
}

}  // namespace claimsd::daemon
