#include "daemon/store/claims_record.h"

#include <string.h>  // explicit_bzero(3)

#include <algorithm>
#include <array>
#include <cstring>

#include "daemon/store/stored_time.h"

namespace claimsd::store {
namespace {

constexpr std::size_t kKeySize = sizeof(claims::TokenKey::bytes);
constexpr std::size_t kHeaderSize = 4 + 8;
constexpr std::size_t kFixedSize = 8 + 8 + 8 + 2;
constexpr std::size_t kSmallest = kHeaderSize + crypto::Sealer::kOverhead + kFixedSize;
constexpr std::size_t kLargest = kSmallest + kMaxStoredClaims;

using Bound = std::array<char, kKeySize + kHeaderSize>;

template <class T>
char* store(char* at, T value) {
  std::memcpy(at, &value, sizeof value);
  return at + sizeof value;
}

template <class T>
T load(const char* at) {
  T value;
  std::memcpy(&value, at, sizeof value);
  return value;
}

template <class Time>
Time load_time(const char* at) {
  return Time(Duration(load<std::int64_t>(at)));
}

// The box is bound to key and header: it does not open with any others.
Bound bind(const claims::TokenKey& key, const char* header) {
  Bound bound;
  std::memcpy(bound.data(), key.bytes.data(), kKeySize);
  std::memcpy(bound.data() + kKeySize, header, kHeaderSize);
  return bound;
}

// With a million entries the value is in no CPU cache. Prefetching loads its lines in parallel
// while the cipher is prepared.
void fetch_all_of(std::string_view value) {
  constexpr std::size_t kLine = 64;
  for (std::size_t at = 0; at < value.size(); at += kLine) __builtin_prefetch(value.data() + at);
}

std::string_view view(const Bound& bound) {
  return {bound.data(), bound.size()};
}

}  // namespace

ClaimsRecords::ClaimsRecords(crypto::Sealer sealer)
    : sealer_(std::move(sealer)), plain_(kFixedSize + kMaxStoredClaims), value_(kLargest) {}

ClaimsRecords::~ClaimsRecords() {
  wipe();
}

void ClaimsRecords::wipe() {
  if (used_ == 0) return;
  explicit_bzero(plain_.data(), used_);
  used_ = 0;
}

std::optional<std::string_view> ClaimsRecords::seal(const claims::TokenKey& key,
                                                    const claims::Entry& entry) {
  if (entry.claims.size() > kMaxStoredClaims) return {};
  // Copy the claims first: they may already be in plain_ at this position.
  if (!entry.claims.empty()) {
    std::memmove(plain_.data() + kFixedSize, entry.claims.data(), entry.claims.size());
  }
  char* at = plain_.data();
  at = store(at, count(entry.confirmed_at));
  at = store(at, count(entry.expires_at));
  at = store(at, count(entry.issued_at));
  store(at, entry.flags);

  char* const header = value_.data();
  store(store(header, kRecordFormat), count(entry.fresh_until));
  const std::size_t plain_size = kFixedSize + entry.claims.size();
  used_ = std::max(used_, plain_size);
  const std::size_t box_size = plain_size + crypto::Sealer::kOverhead;
  if (!sealer_.seal(view(bind(key, header)), {plain_.data(), plain_size},
                    {header + kHeaderSize, box_size})) {
    return {};
  }
  return std::string_view(header, kHeaderSize + box_size);
}

std::optional<claims::Entry> ClaimsRecords::open(const claims::TokenKey& key,
                                                 std::string_view value) {
  if (value.size() < kSmallest || value.size() > kLargest ||
      load<std::uint32_t>(value.data()) != kRecordFormat) {
    return {};
  }
  fetch_all_of(value);
  const std::size_t plain_size = value.size() - kHeaderSize - crypto::Sealer::kOverhead;
  used_ = std::max(used_, plain_size);
  if (!sealer_.open(view(bind(key, value.data())), value.substr(kHeaderSize),
                    {plain_.data(), plain_size})) {
    return {};
  }
  claims::Entry entry;
  entry.fresh_until = fresh_until(value);
  entry.confirmed_at = load_time<BootTime>(plain_.data());
  entry.expires_at = load_time<WallTime>(plain_.data() + 8);
  entry.issued_at = load_time<WallTime>(plain_.data() + 16);
  entry.flags = load<std::uint16_t>(plain_.data() + 24);
  entry.claims = {plain_.data() + kFixedSize, plain_size - kFixedSize};
  return entry;
}

bool ClaimsRecords::plausible(std::string_view key, std::string_view value) {
  return key.size() == kKeySize && value.size() >= kSmallest && value.size() <= kLargest &&
         load<std::uint32_t>(value.data()) == kRecordFormat;
}

BootTime ClaimsRecords::fresh_until(std::string_view value) {
  return load_time<BootTime>(value.data() + 4);
}

}  // namespace claimsd::store
