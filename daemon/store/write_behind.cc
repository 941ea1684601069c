#include "daemon/store/write_behind.h"

#include <algorithm>
#include <utility>

namespace claimsd::store {

WriteBehindCache::WriteBehindCache(LmdbClaimsCache& cache, const Clock& clock)
    : cache_(cache), clock_(clock) {
  waiting_.reserve(kMaxEntries);
}

WriteBehindCache::~WriteBehindCache() {
  flush();
}

claims::Entry WriteBehindCache::Waiting::view() const {
  claims::Entry whole = entry;
  whole.claims = claims.view();
  return whole;
}

// Linear search: there are few, and their keys differ in the first bytes.
WriteBehindCache::Waiting* WriteBehindCache::waiting_for(const claims::TokenKey& key) {
  const auto found = std::find_if(waiting_.begin(), waiting_.end(),
                                  [&](const Waiting& waiting) { return waiting.key == key; });
  return found == waiting_.end() ? nullptr : &*found;
}

void WriteBehindCache::drop(Waiting& gone) {
  bytes_ -= gone.claims.view().size();
  if (&gone != &waiting_.back()) gone = std::move(waiting_.back());
  waiting_.pop_back();
  if (waiting_.empty()) due_.reset();
}

bool WriteBehindCache::has_room_for(std::size_t claims) const {
  return waiting_.size() < kMaxEntries && bytes_ + claims <= kMaxBytes;
}

std::optional<claims::Entry> WriteBehindCache::find(const claims::TokenKey& key) {
  if (const Waiting* const waiting = waiting_for(key)) return waiting->view();
  return cache_.find(key);
}

claims::Stored WriteBehindCache::put(const claims::TokenKey& key, const claims::Entry& entry) {
  if (entry.claims.size() > kMaxStoredClaims) return write_through(key, entry);
  Waiting fresh{key, entry, Secret(entry.claims)};  // copy before find()'s result is invalidated
  if (!cache_.roomy(kMaxEntries, kMaxBytes)) {
    flush();  // earlier entries were accepted while there was room
    return write_through(key, fresh.view());
  }
  if (Waiting* const older = waiting_for(key)) drop(*older);
  while (!has_room_for(entry.claims.size())) flush_some();
  if (waiting_.empty()) due_ = clock_.now().boot + kDelay;
  bytes_ += fresh.claims.view().size();
  waiting_.push_back(std::move(fresh));
  return claims::Stored::kStored;
}

claims::Stored WriteBehindCache::write_through(const claims::TokenKey& key,
                                               const claims::Entry& entry) {
  const claims::Stored stored = cache_.put(key, entry);
  if (stored != claims::Stored::kStored) return stored;
  if (Waiting* const older = waiting_for(key)) drop(*older);
  return stored;
}

bool WriteBehindCache::erase(const claims::TokenKey& key) {
  if (Waiting* const waiting = waiting_for(key)) drop(*waiting);
  return cache_.erase(key);
}

void WriteBehindCache::each(
    const std::function<void(const claims::TokenKey&, BootTime fresh_until)>& visit) {
  flush();
  cache_.each(visit);
}

std::optional<claims::TokenKey> WriteBehindCache::scan(
    const std::optional<claims::TokenKey>& after, std::size_t most,
    const std::function<void(const claims::TokenKey&, const claims::Entry&)>& visit) {
  flush();
  return cache_.scan(after, most, visit);
}

std::size_t WriteBehindCache::entries() const {
  return cache_.entries() + static_cast<std::size_t>(std::count_if(
                                waiting_.begin(), waiting_.end(), [this](const Waiting& waiting) {
                                  return !cache_.holds(waiting.key);
                                }));
}

void WriteBehindCache::flush_some() {
  flush_first(kTogether);
  if (!waiting_.empty()) due_ = clock_.now().boot + kBetween;
}

void WriteBehindCache::flush_first(std::size_t most) {
  const std::span these(waiting_.data(), std::min(most, waiting_.size()));
  if (these.empty()) return;
  std::vector<NewEntry> batch;
  batch.reserve(these.size());
  for (const Waiting& waiting : these) batch.push_back({waiting.key, waiting.view()});
  if (cache_.put_all(batch) != claims::Stored::kStored) write_singly(these);
  for (const Waiting& written : these) bytes_ -= written.claims.view().size();
  waiting_.erase(waiting_.begin(), waiting_.begin() + static_cast<std::ptrdiff_t>(these.size()));
  if (waiting_.empty()) due_.reset();
}

void WriteBehindCache::write_singly(std::span<const Waiting> these) {
  for (const Waiting& waiting : these) {
    if (cache_.put(waiting.key, waiting.view()) == claims::Stored::kStored) continue;
    ++lost_;
    cache_.erase(waiting.key);
  }
}

}  // namespace claimsd::store
