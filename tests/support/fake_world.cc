#include "tests/support/fake_world.h"

#include <algorithm>
#include <stdexcept>

#include "daemon/claims/parse/token_name.h"
#include "proto/claims_block.h"
#include "proto/limits.h"

namespace claimsd::testing {

using namespace claims;

std::uint64_t SeededRandom::next() {
  std::uint64_t z = (state_ += 0x9e3779b97f4a7c15u);
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  return z ^ (z >> 31);
}

void SeededRandom::fill(void* out, std::size_t size) {
  auto* at = static_cast<char*>(out);
  for (; size != 0;) {
    const std::uint64_t word = next();
    const std::size_t part = std::min(size, sizeof word);
    std::memcpy(at, &word, part);
    at += part;
    size -= part;
  }
}

TokenKey numbered_key(std::uint64_t number) {
  TokenKey key;
  SeededRandom(number).fill(key.bytes.data(), key.bytes.size() - sizeof number);
  std::memcpy(key.bytes.data() + key.bytes.size() - sizeof number, &number, sizeof number);
  return key;
}

std::uint64_t number_of(const TokenKey& key) {
  std::uint64_t number = 0;
  std::memcpy(&number, key.bytes.data() + key.bytes.size() - sizeof number, sizeof number);
  return number;
}

TokenKey FakeKeyer::key_of(UpstreamId upstream, std::string_view token) {
  // Bounds how many bytes a client can make the daemon hash.
  if (token.size() > proto::kMaxToken) throw std::logic_error("a key for an impossible token");
  const auto [at, is_new] =
      numbers_.try_emplace({upstream, std::string(token)}, numbers_.size() + 1);
  return numbered_key(at->second);
}

bool Fault::strikes() {
  if (times_ == 0) return false;
  if (delay_ > 0) {
    --delay_;
    return false;
  }
  --times_;
  return true;
}

std::optional<Entry> FakeCache::find(const TokenKey& key) {
  scribble();
  const auto found = kept_.find(key);
  if (find_fault.strikes() || found == kept_.end()) return std::nullopt;
  scratch_ = found->second.claims;
  Entry entry = found->second.entry;
  entry.claims = scratch_;
  return entry;
}

Stored FakeCache::put(const TokenKey& key, const Entry& entry) {
  const std::string claims(
      entry.claims);  // copied first: it may point into memory that scribble() overwrites
  scribble();
  if (put_fault.strikes()) return Stored::kFailed;
  const auto replaced = kept_.find(key);
  const std::size_t freed = replaced == kept_.end() ? 0 : replaced->second.claims.size();
  if (bytes_ - freed + claims.size() > capacity) return Stored::kFull;
  bytes_ += claims.size() - freed;
  Kept& kept = kept_[key];
  kept = Kept{entry, claims};
  kept.entry.claims = {};
  return Stored::kStored;
}

bool FakeCache::erase(const TokenKey& key) {
  scribble();
  if (erase_fault.strikes()) return false;
  if (const auto found = kept_.find(key); found != kept_.end()) {
    bytes_ -= found->second.claims.size();
    kept_.erase(found);
  }
  return true;
}

void FakeCache::each(const std::function<void(const TokenKey&, BootTime)>& visit) {
  scribble();
  for (const auto& [key, kept] : kept_) visit(key, kept.entry.fresh_until);
}

std::optional<TokenKey> FakeCache::scan(
    const std::optional<TokenKey>& after, std::size_t most,
    const std::function<void(const TokenKey&, const Entry&)>& visit) {
  std::optional<TokenKey> last;
  for (const auto& [key, kept] : kept_) {
    if (after && key <= *after) continue;
    if (most-- == 0) return last;
    Entry entry = kept.entry;
    entry.claims = kept.claims;
    visit(key, entry);
    last = key;
  }
  return std::nullopt;
}

void FakeCache::scribble() {
  std::fill(scratch_.begin(), scratch_.end(), '\xdd');
}

void FakeUpstream::start(FlightId id, UpstreamId upstream, std::size_t url, const Secret& token,
                         claims::Connect connect) {
  for (const InFlight& other : in_flight_) {
    if (other.id == id) throw std::logic_error("the id of a request is used twice");
    if (other.upstream == upstream && other.token == token.view()) {
      throw std::logic_error("two requests in flight for one token");
    }
  }
  in_flight_.push_back({id, upstream, std::string(token.view()), url, connect});
  ++requests_;
}

namespace {
template <class Matches>
FakeUpstream::InFlight take_if(std::vector<FakeUpstream::InFlight>& in_flight,
                               const Matches& matches) {
  const auto found = std::find_if(in_flight.begin(), in_flight.end(), matches);
  if (found == in_flight.end()) throw std::logic_error("no such request is in flight");
  FakeUpstream::InFlight taken = std::move(*found);
  in_flight.erase(found);
  return taken;
}
}  // namespace

FakeUpstream::InFlight FakeUpstream::take(FlightId id) {
  return take_if(in_flight_, [id](const InFlight& flight) { return flight.id == id; });
}

FakeUpstream::InFlight FakeUpstream::take_oldest() {
  return take_if(in_flight_, [](const InFlight&) { return true; });
}

FakeUpstream::InFlight FakeUpstream::take_for(std::string_view token) {
  return take_if(in_flight_, [token](const InFlight& flight) { return flight.token == token; });
}

void RecordingSink::expect(const Waiter& waiter) {
  if (!answers_.try_emplace({waiter.connection, waiter.request}).second) {
    throw std::logic_error("a waiter's name is used twice");
  }
  ++open_;
}

void RecordingSink::answer(const Waiter& waiter, const Answer& answer) {
  const auto found = answers_.find({waiter.connection, waiter.request});
  if (found == answers_.end()) throw std::logic_error("an answer to an unknown query");
  if (found->second) throw std::logic_error("a waiter is answered twice");
  if (answer.claims.empty() == (answer.reason == proto::Reason::kOk)) {
    throw std::logic_error("claims are required with kOk and forbidden otherwise");
  }
  found->second = RecordedAnswer{answer, std::string(answer.claims), clock_.now()};
  found->second->answer.claims = {};
  order_.push_back(waiter);
  --open_;
  if (on_answer) on_answer(waiter);
}

void RecordingSink::expect_receipt(const Waiter& waiter) {
  if (!receipts_.try_emplace({waiter.connection, waiter.request}).second) {
    throw std::logic_error("a reporter's name is used twice");
  }
}

void RecordingSink::receipt(const Waiter& waiter, proto::Reason reason) {
  const auto found = receipts_.find({waiter.connection, waiter.request});
  if (found == receipts_.end()) throw std::logic_error("a receipt for an unknown report");
  if (found->second) throw std::logic_error("a report is acknowledged twice");
  found->second = reason;
  if (on_receipt) on_receipt(waiter);
}

std::optional<proto::Reason> RecordingSink::receipt_of(const Waiter& waiter) const {
  return receipts_.at({waiter.connection, waiter.request});
}

const RecordedAnswer* RecordingSink::find(const Waiter& waiter) const {
  const auto found = answers_.find({waiter.connection, waiter.request});
  return found == answers_.end() || !found->second ? nullptr : &*found->second;
}

void FakePublisher::publish(UpstreamId upstream, std::string_view token, const TokenKey& key,
                            const Entry& entry, const LeaseEnd& end) {
  const Now now = clock_.now();
  if (end.lease <= now.boot || end.hard <= now.wall) throw std::logic_error("an expired lease");
  if (end.lease > entry.fresh_until || end.hard > entry.expires_at) {
    throw std::logic_error("a lease that outlives its entry");
  }
  proto::ClaimsView claims;
  if (!proto::decode_claims(entry.claims, claims)) throw std::logic_error("a lease without claims");
  published_[key] = {upstream,
                     std::string(TokenName(token).text()),
                     std::string(claims.id),
                     std::string(entry.claims),
                     entry.confirmed_at,
                     end};
  ++publications_;
}

BootTime FakePublisher::published_until(const TokenKey& key) const {
  ++looks_;
  const auto found = published_.find(key);
  return found == published_.end() ? BootTime::min() : found->second.end.lease;
}

bool FakePublisher::withdraw_token(std::string_view token) {
  const TokenName name(token);
  return std::erase_if(published_,
                       [&](const auto& item) { return item.second.name == name.text(); }) > 0;
}

void FakePublisher::withdraw_user(UpstreamId upstream, std::string_view user) {
  std::erase_if(published_, [&](const auto& item) {
    return item.second.upstream == upstream && item.second.user == user;
  });
}

Fingerprint FakeFingerprinter::number(std::string name) {
  ++made_;
  return numbered_key(numbers_.try_emplace(std::move(name), numbers_.size() + 1).first->second);
}

Fingerprint FakeFingerprinter::of_token(std::string_view name) {
  return number("token " + std::string(name));
}

Fingerprint FakeFingerprinter::of_user(UpstreamId upstream, std::string_view user) {
  return number("user " + std::to_string(upstream) + " " + std::string(user));
}

void FakeRevocationLog::write(RevocationChange change, Done done) {
  waiting_.push_back({std::move(change), std::move(done)});
}

void FakeRevocationLog::commit() {
  for (Waiting& one : std::exchange(waiting_, {})) {
    const bool durable = !write_fault.strikes();
    if (durable) apply(one.change);
    if (one.done) one.done(durable);
    if (!durable) waiting_.push_back({std::move(one.change), {}});
  }
}

void FakeRevocationLog::apply(const RevocationChange& change) {
  for (const Rule& rule : change.rules) rules_[rule.key] = rule;
  for (const Withdrawal& withdrawal : change.withdrawals)
    withdrawals_[withdrawal.action] = withdrawal;
  for (const RuleKey& key : change.ended_rules) rules_.erase(key);
  for (const ActionId& action : change.ended_withdrawals) withdrawals_.erase(action);
}

std::vector<Rule> FakeRevocationLog::rules() const {
  std::vector<Rule> rules;
  for (const auto& [key, rule] : rules_) rules.push_back(rule);
  return rules;
}

std::vector<Withdrawal> FakeRevocationLog::withdrawals() const {
  std::vector<Withdrawal> withdrawals;
  for (const auto& [action, withdrawal] : withdrawals_) withdrawals.push_back(withdrawal);
  return withdrawals;
}

AuditDecision FakeAuditSink::record(const AuditedEvent& event, AuditTicket ticket) {
  noted.push_back({.event = event,
                   .token = std::string(event.token),
                   .claims = std::string(event.claims),
                   .route = std::string(event.origin.route),
                   .user = std::string(event.user),
                   .method = std::string(event.method),
                   .required = std::string(event.required),
                   .client_address = std::string(event.origin.client_address),
                   .trace_id = std::string(event.origin.trace_id),
                   .ticket = ticket});
  if (verdict == AuditDecision::kPending) waiting_.push_back(ticket);
  return verdict;
}

AuditTicket FakeAuditSink::take_oldest() {
  if (waiting_.empty()) throw std::logic_error("no answer waits for its record");
  const AuditTicket oldest = waiting_.front();
  waiting_.erase(waiting_.begin());
  return oldest;
}

const FakePublisher::Published* FakePublisher::find(const TokenKey& key) const {
  const Now now = clock_.now();
  const auto found = published_.find(key);
  if (found == published_.end()) return nullptr;
  const LeaseEnd& end = found->second.end;
  return end.lease > now.boot && end.hard > now.wall ? &found->second : nullptr;
}

}  // namespace claimsd::testing
