#include "tests/sim/ports.h"
#include "tests/sim/rules.h"

#include <fmt/core.h>

#include <algorithm>
#include <charconv>
#include <cstring>
#include <utility>

#include "proto/claims_block.h"
#include "tests/sim/admin_actions.h"
#include "tests/sim/auth_api.h"

namespace claimsd::sim {

using namespace claims;

namespace {

// The number after a prefix; nullopt if there is anything else.
std::optional<std::uint32_t> number_after(std::string_view prefix, std::string_view text) {
  if (text.substr(0, prefix.size()) != prefix) return std::nullopt;
  text.remove_prefix(prefix.size());
  std::uint32_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

struct ReadClaims {
  bool sound = false;
  std::uint32_t user = 0;
  std::uint32_t version = 0;
};

ReadClaims read_claims(std::string_view block) {
  ReadClaims read;
  proto::ClaimsView view;
  if (!proto::decode_claims(block, view)) return read;
  const auto user = number_after("user-", view.id);
  std::optional<std::uint32_t> version;
  view.roles.each([&](std::string_view role) {
    version = number_after("r", role);
    return true;
  });
  if (!user || !version || view.roles.size() != 1) return read;
  read.user = *user;
  read.version = *version;
  std::array<char, 128> email{};
  const auto end = fmt::format_to_n(email.data(), email.size(), "{}@example.com", *user);
  // Truncated claims have exactly this form as well.
  read.sound = view.email == std::string_view(email.data(), end.size) &&
               view.raw == body_of(*user, *version, false);
  return read;
}

}  // namespace

void SimRandom::fill(void* out, std::size_t size) {
  auto* at = static_cast<char*>(out);
  while (size != 0) {
    const std::uint64_t word = dice_.next();
    const std::size_t part = std::min(size, sizeof word);
    std::memcpy(at, &word, part);
    at += part;
    size -= part;
  }
}

void SimRevocationLog::commit() {
  for (Waiting& one : std::exchange(waiting_, {})) {
    const bool durable = failing_writes == 0;
    if (durable) {
      apply(one.change);
    } else {
      --failing_writes;
    }
    if (one.done) one.done(durable);
    if (!durable) waiting_.push_back({std::move(one.change), {}});
  }
}

void SimRevocationLog::apply(const RevocationChange& change) {
  if (change.empty()) return;
  if (older_.size() == kOldCopies) older_.erase(older_.begin());
  older_.push_back(set_);
  for (const Rule& rule : change.rules) set_.rules[rule.key] = rule;
  for (const Withdrawal& withdrawal : change.withdrawals)
    set_.withdrawals[withdrawal.action] = withdrawal;
  for (const RuleKey& key : change.ended_rules) set_.rules.erase(key);
  for (const ActionId& action : change.ended_withdrawals) set_.withdrawals.erase(action);
  ++set_.head.sequence;
  std::fill(copies_.begin(), copies_.end(), set_.head);
  newest_ = set_;
  if (on_durable) on_durable(change);
}

void SimRevocationLog::restore_older(Dice& dice) {
  if (older_.empty()) return;
  set_ = older_[dice.below(older_.size())];
  copies_[dice.below(copies_.size())] = {};
}

void SimRevocationLog::start() {
  if (refusing_copy(set_.head, copies_) != nullptr) set_ = newest_;
  newest_ = set_;
  std::fill(copies_.begin(), copies_.end(), set_.head);
}

// ---- store --------------------------------------------------------------------------------------

void SimCache::scribble() {
  std::fill(scratch_.begin(), scratch_.end(), '\xdd');
}

std::optional<Entry> SimCache::find(const TokenKey& key) {
  scribble();
  const auto number = records_.find(key);
  if (!number) {
    records_.step.broken_port = "a store lookup with an unknown key";
    return std::nullopt;
  }
  const Kept& kept = records_.token(*number).kept;
  if (failing_finds > 0) {
    --failing_finds;
    return std::nullopt;
  }
  if (!kept.present) return std::nullopt;
  scratch_.assign(kept.claims);
  Entry entry = kept.entry;
  entry.claims = scratch_;
  return entry;
}

Stored SimCache::put(const TokenKey& key, const Entry& entry) {
  const auto number = records_.find(key);
  if (!number) {
    records_.step.broken_port = "an entry is stored under an unknown key";
    return Stored::kFailed;
  }
  TokenRecord& token = records_.token(*number);
  Stored result = Stored::kStored;
  const std::size_t freed = token.kept.present ? token.kept.claims.size() : 0;
  if (failing_puts > 0) {
    --failing_puts;
    result = Stored::kFailed;
  } else if (used_ - freed + entry.claims.size() > bytes_) {
    result = Stored::kFull;
  }
  records_.step.puts.push_back(
      {*number, entry, result, records_.revoked(token, entry.confirmed_at)});
  trace_.note({records_.step.number, clock_.now(), "put",
               result == Stored::kStored ? "stored"
               : result == Stored::kFull ? "full"
                                         : "failed",
               *number, 0});
  if (result != Stored::kStored) {
    scribble();
    return result;
  }
  if (!token.kept.present) ++records_.kept;
  used_ += entry.claims.size() - freed;
  token.kept = Kept{true, false, entry, std::string(entry.claims)};
  token.kept.entry.claims = {};
  scribble();
  return result;
}

bool SimCache::erase(const TokenKey& key) {
  scribble();
  const auto number = records_.find(key);
  if (!number) return true;  // an order about a token that was never queried
  TokenRecord& token = records_.token(*number);
  const bool by_action =
      std::any_of(records_.orders.begin(), records_.orders.end(), [&](const ActionRecord& order) {
        return order.denies(token, true) || order.may_forget(token, token.kept.entry.confirmed_at);
      });
  records_.step.erases.push_back({*number, token.kept.present && !token.kept.disowned,
                                  token.kept.entry.fresh_until, by_action});
  if (failing_erases > 0) {
    --failing_erases;
    damaged_ = true;
    token.kept.disowned = token.kept.present;
    trace_.note({records_.step.number, clock_.now(), "erase", "failed", *number, 0});
    return false;
  }
  if (token.kept.present) {
    trace_.note({records_.step.number, clock_.now(), "erase", "", *number, 0});
    used_ -= token.kept.claims.size();
    --records_.kept;
  }
  token.kept = {};
  return true;
}

void SimCache::each(const std::function<void(const TokenKey&, BootTime)>& visit) {
  scribble();
  for (const TokenRecord& token : records_.tokens) {
    if (token.kept.present) visit(token.key, token.kept.entry.fresh_until);
  }
}

void SimCache::reopen() {
  used_ = 0;
  records_.kept = 0;
  for (TokenRecord& token : records_.tokens) {
    if (damaged_) token.kept = {};
    if (!token.kept.present) continue;
    used_ += token.kept.claims.size();
    ++records_.kept;
  }
  damaged_ = false;
  failing_finds = failing_puts = failing_erases = 0;
}

// ---- other ports --------------------------------------------------------------------------------

void SimUpstream::note_completion() {
  Step& step = records_.step;
  if (!step.completed || step.noted || step.sent_again) return;
  step.noted = true;
  const RequestRecord& request = records_.requests[*step.completed];
  TokenRecord& token = records_.token(request.token);
  const bool settled =
      meaning_of(request.response, policy_.upstreams[token.upstream]) != Meaning::kNothing;
  health[token.upstream].ended(request, settled, token.failing, clock_.now().boot);
}

bool SimUpstream::was_due(TokenNumber number) const {
  const auto& decisions = records_.step.decisions;
  return std::any_of(decisions.begin(), decisions.end(), [&](const AnswerRecord& answer) {
    return answer.token == number && answer.refresh_due;
  });
}

// Why the request may not be sent again, or "".
const char* SimUpstream::forbids_again(const RequestRecord& before,
                                       const RequestRecord& again) const {
  if (again.checks) {
    if (before.checked) return "a second check of a rejection";
    const bool is_old = was_reused(before) && clock_.now().boot - before.connection.made >=
                                                  RejectionCheck::kOldConnection;
    return is_old ? "" : "a check of a rejection over a recent connection";
  }
  if (!is_down(before.response)) return "a retry although the first attempt got a response";
  if (before.url == again.url && !may_be_connection(before)) return "a retry at the same URL";
  return "";
}

void SimUpstream::start(FlightId id, UpstreamId upstream, std::size_t url, const Secret& token,
                        Connect connect) {
  const auto number = records_.find(Records::key_of(upstream, token.view()));
  if (!number) {
    records_.step.broken_port = "a request for an unknown token";
    return;
  }
  RequestRecord record;
  record.id = id;
  record.token = *number;
  record.url = url;
  record.started = record.first_started = clock_.now();
  record.instance = records_.instance;
  record.connection = pools[upstream].take(connect, record.started.boot);
  const auto& parameters = records_.token(*number).open;
  record.waited_for = std::any_of(parameters.begin(), parameters.end(),
                                  [&](QueryNumber open) { return !records_.queries[open].held; });
  Records::OfUpstream& api = records_.upstreams[upstream];
  ++api.in_flight;
  const RequestRecord* const completed =
      records_.step.completed ? &records_.requests[*records_.step.completed] : nullptr;
  if (completed != nullptr && completed->id == id && completed->token == *number) {
    records_.step.sent_again = true;
    record.first_started = completed->first_started;
    record.refreshes = completed->refreshes;
    const UpstreamPolicy& policy = policy_.upstreams[upstream];
    record.checks = meaning_of(completed->response, policy) == Meaning::kRefuses;
    record.checked = record.checks || completed->checked;
    record.forbidden = forbids_again(*completed, record);
    ++(record.checks ? api.checks : api.again);
  } else {
    note_completion();
    record.refreshes = !record.waited_for && was_due(*number);
    record.forbidden = health[upstream].started(clock_.now().boot, api.in_flight);
    const Failing& failing = records_.token(*number).failing;
    if (failing.holds(clock_.now().boot) && clock_.now().boot < failing.earliest)
      record.forbidden = "a request for a token in backoff";
    ++api.started;
  }
  const auto request = static_cast<RequestNumber>(records_.requests.size());
  records_.requests.push_back(record);
  records_.step.started.push_back(request);
  ++records_.token(*number).in_flight;
  ++records_.in_flight;
  ++records_.started;
  trace_.note({records_.step.number, clock_.now(), "request",
               records_.step.sent_again ? "again" : "", *number, request});
}

void SimPublisher::publish(UpstreamId upstream, std::string_view text, const TokenKey& key,
                           const Entry& entry, const LeaseEnd& end) {
  const auto number = records_.find(key);
  if (!number || records_.token(*number).text != text ||
      records_.token(*number).upstream != upstream) {
    records_.step.broken_port = "a lease whose token does not match its key";
    return;
  }
  const ReadClaims claims = read_claims(entry.claims);
  TokenRecord& token = records_.token(*number);
  if (!claims.sound || claims.user != token.user) {
    records_.step.broken_port = "a lease with another user's claims";
  }
  token.published = {true, end, entry.confirmed_at};
  records_.step.publications.push_back({*number, entry.confirmed_at, end, claims.version,
                                        records_.revoked(token, entry.confirmed_at)});
  trace_.note({records_.step.number, clock_.now(), "publish", "", *number, 0});
}

BootTime SimPublisher::published_until(const TokenKey& key) const {
  const auto number = records_.find(key);
  if (!number || !records_.token(*number).published.now) return BootTime::min();
  return records_.token(*number).published.end.lease;
}

void SimPublisher::withdraw(const TokenKey& key) {
  if (const auto number = records_.find(key)) {
    TokenRecord& token = records_.token(*number);
    if (token.published.now) {
      trace_.note({records_.step.number, clock_.now(), "withdraw", "", *number, 0});
    }
    token.published = {};
  }
}

bool SimPublisher::withdraw_token(std::string_view text) {
  bool found = false;
  for (TokenRecord& token : records_.tokens) {
    if (!token.published.now || token.text != text) continue;
    token.published = {};
    found = true;
  }
  return found;
}

void SimPublisher::withdraw_user(UpstreamId upstream, std::string_view user) {
  const auto number = number_after("user-", user);
  for (TokenRecord& token : records_.tokens) {
    if (token.upstream == upstream && token.user == number) token.published = {};
  }
}

void SimPublisher::withdraw_all() {
  for (TokenRecord& token : records_.tokens) token.published = {};
}

AnswerRecord SimSink::record_of(QueryNumber number, proto::Reason reason,
                                proto::Source source) const {
  const QueryRecord& query = records_.queries[number];
  const TokenRecord& token = records_.token(query.token);
  AnswerRecord record;
  record.query = number;
  record.token = query.token;
  record.reason = reason;
  record.source = source;
  record.late = query.held.has_value();
  record.reversal = !query.recorded.empty() && query.recorded.back() != reason;
  record.denied = records_.denied(token);
  record.refresh_due = (source == proto::Source::kCache || query.withheld) && due && due(token);
  record.in_store = token.kept.present && !token.kept.disowned;
  record.recorded = query.recorded;
  record.published = token.published.now;
  return record;
}

void SimSink::decided(QueryNumber query, proto::Reason reason, proto::Source source) {
  trace_.note({records_.step.number, clock_.now(), "holds", proto::name_of(reason),
               records_.queries[query].token, query});
  records_.step.decisions.push_back(record_of(query, reason, source));
}

void SimSink::receipt(const Waiter& waiter, proto::Reason reason) {
  if (waiter.request >= records_.reports.size() ||
      records_.reports[waiter.request].connection != waiter.connection) {
    records_.step.broken_port = "a receipt for an unknown report";
    return;
  }
  ReportRecord& report = records_.reports[waiter.request];
  trace_.note({records_.step.number, clock_.now(), "receipt", proto::name_of(reason), report.token,
               waiter.request});
  if (report.receipt) records_.step.broken_port = "a report is acknowledged twice";
  report.receipt = reason;
  records_.step.receipts.push_back(waiter.request);
}

void SimSink::answer(const Waiter& waiter, const Answer& answer) {
  if (waiter.request >= records_.queries.size() ||
      records_.queries[waiter.request].connection != waiter.connection) {
    records_.step.broken_port = "an answer to an unknown query";
    return;
  }
  if (before) before();
  QueryRecord& query = records_.queries[waiter.request];
  trace_.note({records_.step.number, clock_.now(), "answer", proto::name_of(answer.reason),
               query.token, waiter.request});
  if (query.answered) {
    records_.step.broken_port = "a query is answered twice";
    return;
  }
  AnswerRecord record = record_of(waiter.request, answer.reason, answer.source);
  record.flags = answer.flags;
  record.age = answer.age;
  record.ttl_remaining = answer.ttl_remaining;
  record.retry_after = answer.retry_after;
  record.has_claims = !answer.claims.empty();
  if (record.has_claims) {
    const ReadClaims claims = read_claims(answer.claims);
    record.sound_claims = claims.sound;
    record.user = claims.user;
    record.version = claims.version;
  }
  if (!record.late) records_.step.decisions.push_back(record);
  records_.step.answers.push_back(record);
  ++records_.verdicts[static_cast<std::size_t>(proto::verdict_of(answer.reason))];
  if (answer.source == proto::Source::kStale) ++records_.stale;
  query.answered = true;
  if (!query.disconnected) records_.close(waiter.request);
  if (react) react(query);
}

}  // namespace claimsd::sim
