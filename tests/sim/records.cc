#include "tests/sim/records.h"

#include <algorithm>
#include <cstring>

#include "tests/sim/admin_actions.h"

namespace claimsd::sim {

using namespace claims;

namespace {

std::uint64_t mix(std::uint64_t hash, std::uint64_t word) {
  hash = (hash ^ word) * 0x9e37'79b9'7f4a'7c15;
  return hash ^ (hash >> 29);
}

std::uint64_t first_word(const TokenKey& key) {
  std::uint64_t word = 0;
  std::memcpy(&word, key.bytes.data(), sizeof word);
  return word;
}

}  // namespace

void Step::begin(std::uint64_t step, const Now& at, std::size_t kept) {
  number = step;
  is_tick = false;
  now = at;
  asked.clear();
  answers.clear();
  decisions.clear();
  released.clear();
  started.clear();
  completed.reset();
  sent_again = noted = false;
  puts.clear();
  erases.clear();
  publications.clear();
  leases_recorded.clear();
  reported.clear();
  receipts.clear();
  kept_before = kept;
  restarted = false;
  order.reset();
}

TokenKey Records::key_of(UpstreamId upstream, std::string_view text) {
  std::uint64_t hash = mix(upstream, text.size());
  for (std::size_t at = 0; at < text.size(); at += sizeof hash) {
    std::uint64_t word = 0;
    std::memcpy(&word, text.data() + at, std::min(sizeof word, text.size() - at));
    hash = mix(hash, word);
  }
  TokenKey key;
  for (std::size_t at = 0; at < key.bytes.size(); at += sizeof hash) {
    hash = mix(hash, at);
    std::memcpy(key.bytes.data() + at, &hash, sizeof hash);
  }
  return key;
}

TokenNumber Records::add_token(TokenRecord record) {
  const auto number = static_cast<TokenNumber>(tokens.size());
  record.key = key_of(record.upstream, record.text);
  by_key_.emplace(first_word(record.key), number);
  tokens.push_back(std::move(record));
  return number;
}

std::optional<TokenNumber> Records::find(const TokenKey& key) const {
  const auto found = by_key_.find(first_word(key));
  if (found == by_key_.end() || tokens[found->second].key != key) return std::nullopt;
  return found->second;
}

Records::Records() = default;
Records::~Records() = default;

bool Records::denied(const TokenRecord& token) const {
  return std::any_of(orders.begin(), orders.end(),
                     [&](const ActionRecord& order) { return order.denies(token); });
}

bool Records::perhaps_denied(const TokenRecord& token) const {
  return std::any_of(orders.begin(), orders.end(),
                     [&](const ActionRecord& order) { return order.denies(token, true); });
}

bool Records::revoked(const TokenRecord& token, BootTime confirmed_at) const {
  return std::any_of(orders.begin(), orders.end(), [&](const ActionRecord& order) {
    return order.denies(token) || (order.in_effect && order.forgets(token, confirmed_at));
  });
}

void Records::age_orders(const Now& now, Duration margin) {
  for (ActionRecord& order : orders) {
    const auto passed = [&](Duration length) {
      return now.boot >= order.made.boot + length && now.wall >= order.made.wall + length;
    };
    if (!order.over) order.over = passed(order.length);
    // Not permanent: a rule that has not been removed yet counts again if the clock steps back.
    order.long_over = passed(order.length + margin);
  }
}

void Records::close(QueryNumber number) {
  std::vector<QueryNumber>& of_token = tokens[queries[number].token].open;
  const auto found = std::find(of_token.begin(), of_token.end(), number);
  if (found == of_token.end()) return;
  *found = of_token.back();
  of_token.pop_back();
  --open;
  --uids[queries[number].uid].open;
  if (!queries[number].held) return;
  --held;
  --uids[queries[number].uid].held;
}

void Records::hold(QueryNumber number, const HeldRecord& of) {
  QueryRecord& query = queries[number];
  query.waits = true;
  if (query.held) return;
  query.held = of;
  ++held;
  ++uids[query.uid].held;
}

void Records::add_deadline(BootTime deadline, QueryNumber query) {
  deadlines_.emplace_back(deadline, query);
  std::push_heap(deadlines_.begin(), deadlines_.end(), std::greater<>());
}

std::optional<BootTime> Records::next_deadline() {
  while (!deadlines_.empty()) {
    const QueryRecord& query = queries[deadlines_.front().second];
    const bool current = query.answer_by == deadlines_.front().first;
    if (current && !query.answered && !query.disconnected) return deadlines_.front().first;
    std::pop_heap(deadlines_.begin(), deadlines_.end(), std::greater<>());
    deadlines_.pop_back();
  }
  return std::nullopt;
}

}  // namespace claimsd::sim
