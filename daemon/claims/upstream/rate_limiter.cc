#include "daemon/claims/upstream/rate_limiter.h"

#include <algorithm>
#include <functional>
#include <string>
#include <utility>

namespace claimsd::claims {
namespace {

constexpr std::size_t kGroups = 4;  // of 16 bits: a /64

double reserve_of(const Rate& rate, unsigned percent) {
  return static_cast<double>(rate.burst) * percent / 100.0;
}

std::uint64_t hash_of(std::uint32_t uid, std::string_view client) {
  return std::hash<std::string_view>()(client) ^ (uid * 0x9e37'79b9'7f4a'7c15u);
}

}  // namespace

std::string_view client_of(std::string_view address, std::string& buffer) {
  if (address.find(':') == std::string_view::npos) return address;
  if (address.find('.') != std::string_view::npos) return address;  // IPv4-mapped
  buffer.clear();
  std::size_t groups = 0;
  while (groups < kGroups) {
    const std::size_t colon = address.find(':');
    const std::string_view group = address.substr(0, colon);
    if (group.empty() && groups > 0) break;  // "::": the rest of the prefix is zero
    std::string_view digits = group;
    while (digits.size() > 1 && digits.front() == '0') digits.remove_prefix(1);
    for (const char c : digits)
      buffer += c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    buffer += ':';
    ++groups;
    if (colon == std::string_view::npos) break;
    address.remove_prefix(colon + 1);
  }
  // "2001:db8::" and "2001:db8:0:0:" are the same network.
  while (buffer.ends_with(":0:")) buffer.resize(buffer.size() - 2);
  return buffer;
}

bool is_own_address(std::string_view address, const std::vector<std::string>& own) {
  constexpr std::string_view kMapped = "::ffff:";
  if (address.starts_with(kMapped) && address.find('.') != std::string_view::npos)
    address.remove_prefix(kMapped.size());
  address = address.substr(0, address.find('%'));  // without a zone
  return address.starts_with("127.") || address == "::1" ||
         std::find(own.begin(), own.end(), address) != own.end();
}

std::optional<RateLimiter::Exceeded> RateLimiter::take(std::uint32_t uid,
                                                       std::string_view client_address, bool known,
                                                       BootTime now) {
  const unsigned percent = known ? 0 : policy_.reserved_percent;
  TokenBucket* of_uid = nullptr;
  TokenBucket* of_client = nullptr;
  if (!by_uid_.unlimited()) {
    of_uid = &by_uid_.of(uid, now);
    const double reserve = reserve_of(by_uid_.rate(), percent);
    if (!of_uid->has(reserve))
      return Exceeded{proto::Reason::kRateLimited, of_uid->wait(by_uid_.rate(), reserve)};
  }
  if (!by_client_.unlimited() && !client_address.empty() &&
      !is_own_address(client_address, policy_.own_addresses)) {
    std::string buffer;
    of_client = &by_client_.of(hash_of(uid, client_of(client_address, buffer)), now);
    const double reserve = reserve_of(by_client_.rate(), percent);
    if (!of_client->has(reserve))
      return Exceeded{proto::Reason::kClientRateLimited,
                      of_client->wait(by_client_.rate(), reserve)};
  }
  if (of_uid != nullptr) of_uid->take();
  if (of_client != nullptr) of_client->take();
  return std::nullopt;
}

void RecentlyValid::add(const TokenKey& key) {
  if (capacity_ == 0) return;
  if (recent_.size() >= capacity_) {
    older_ = std::exchange(recent_, {});
  }
  recent_.insert(TokenKeyHash()(key));
}

void RecentlyValid::erase(const TokenKey& key) {
  recent_.erase(TokenKeyHash()(key));
  older_.erase(TokenKeyHash()(key));
}

void RecentlyValid::prefetch(const TokenKey& key) const {
  recent_.prefetch(TokenKeyHash()(key));
  older_.prefetch(TokenKeyHash()(key));
}

bool RecentlyValid::holds(const TokenKey& key) const {
  return recent_.contains(TokenKeyHash()(key)) || older_.contains(TokenKeyHash()(key));
}

}  // namespace claimsd::claims
