#include "tests/sim/coverage.h"

#include "tests/sim/actions.h"

namespace claimsd::sim {

using namespace claims;
using proto::Reason;
using proto::Source;

namespace {

struct Expected {
  Reason reason;
  Source source;
};

// All answers that the core can give.
constexpr Expected kAnswers[] = {
    {Reason::kOk, Source::kCache},
    {Reason::kOk, Source::kUpstream},
    {Reason::kOk, Source::kStale},
    {Reason::kRejected, Source::kCache},
    {Reason::kRejected, Source::kUpstream},
    {Reason::kMalformed, Source::kNone},
    {Reason::kTooLong, Source::kNone},
    {Reason::kExpired, Source::kNone},
    {Reason::kRevoked, Source::kNone},
    {Reason::kRevoked, Source::kUpstream},
    {Reason::kRevoked, Source::kCache},
    {Reason::kDeadline, Source::kNone},
    {Reason::kUpstreamTimeout, Source::kNone},
    {Reason::kUpstreamConnect, Source::kNone},
    {Reason::kUpstreamTls, Source::kNone},
    {Reason::kUpstreamStatus, Source::kNone},
    {Reason::kUpstreamBody, Source::kNone},
    {Reason::kUpstreamTooLarge, Source::kNone},
    {Reason::kUpstreamProtocol, Source::kNone},
    {Reason::kOverloaded, Source::kNone},
    {Reason::kBackoff, Source::kNone},
    {Reason::kRateLimited, Source::kNone},
    {Reason::kClientRateLimited, Source::kNone},
    {Reason::kTooManyWaiting, Source::kNone},
    {Reason::kTooManyWaitingOfUid, Source::kNone},
    {Reason::kShuttingDown, Source::kNone},
    {Reason::kNotRecorded, Source::kNone},
    {Reason::kNotCurrent, Source::kNone},
};

// Counters that stay zero here: a late result requires two concurrent requests for one token.
constexpr std::string_view kOutOfReach[] = {"late_results"};

}  // namespace

void Coverage::step(const Step& step) {
  ++steps;
  for (const AnswerRecord& answer : step.answers) {
    ++answers_[static_cast<std::size_t>(answer.reason) % kReasons]
              [static_cast<std::size_t>(answer.source) % kSources];
  }
  for (const PutRecord& put : step.puts) ++puts_[static_cast<std::size_t>(put.result)];
}

void Coverage::service_gone(const Counters& counters) {
#define CLAIMSD_SIM_ADD(name, help) counters_.name += counters.name;
  CLAIMSD_COUNTERS(CLAIMSD_SIM_ADD)
#undef CLAIMSD_SIM_ADD
}

void Coverage::add(const Coverage& other) {
  histories += other.histories;
  steps += other.steps;
  for (std::size_t i = 0; i < actions.size(); ++i) actions[i] += other.actions[i];
  for (std::size_t i = 0; i < outages.size(); ++i) outages[i] += other.outages[i];
  for (std::size_t i = 0; i < kReasons; ++i) {
    for (std::size_t j = 0; j < kSources; ++j) answers_[i][j] += other.answers_[i][j];
  }
  for (std::size_t i = 0; i < puts_.size(); ++i) puts_[i] += other.puts_[i];
  service_gone(other.counters_);
}

std::vector<CoverageRow> Coverage::rows() const {
  std::vector<CoverageRow> rows;
  const auto table = sim::actions();
  for (std::size_t i = 0; i < table.size(); ++i) {
    rows.push_back({"fault", table[i].name, "", actions[i]});
  }
  for (std::size_t i = 1; i < outages.size(); ++i) {
    rows.push_back({"outage", name_of(static_cast<Outage>(i)), "", outages[i]});
  }
  rows.push_back({"store", "stored", "", puts_[0]});
  rows.push_back({"store", "full", "", puts_[1]});
  rows.push_back({"store", "failed", "", puts_[2]});
  for (const auto& [reason, source] : kAnswers) {
    rows.push_back({"answer", proto::name_of(reason), proto::name_of(source),
                    answers_[static_cast<std::size_t>(reason)][static_cast<std::size_t>(source)]});
  }
  each_counter(counters_, [&](std::string_view name, std::string_view, std::uint64_t value) {
    for (const std::string_view out : kOutOfReach) {
      if (name == out) return;
    }
    rows.push_back({"counter", name, "", value});
  });
  return rows;
}

}  // namespace claimsd::sim
