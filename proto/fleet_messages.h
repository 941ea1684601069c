// fleet_messages.h: what the hosts of a fleet exchange through Redis, before sealing.
//
//   envelope = u16 version, u8 flags, u8 key id, box
//   box      = nonce (12) ciphertext tag (16)      AES-256-GCM; the four bytes before are bound
//   body     = u8 kind, u8 flags, u8[16] sender, u64 sequence, content
//
// Little-endian (bytes.h); variable parts carry their size. A receiver ignores a message of a newer
// version unless its flag "must understand" is set: then it is not current until it is upgraded.
// No message contains a token, a user id or an email address: a subject is a fingerprint under the
// fleet's fingerprint key. All sizes are bounded by the constants below, and decoding copies into
// fixed or bounded containers. Pure; any thread.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace claimsd::proto {

inline constexpr std::uint16_t kFleetVersion = 1;
inline constexpr std::uint8_t kFleetMustUnderstand = 1;  // a flag
inline constexpr std::size_t kFleetHeader = 4;
inline constexpr std::size_t kMaxFleetRules = 255;  // of one action
inline constexpr std::size_t kMaxFleetName = 255;   // of a host
inline constexpr std::size_t kMaxFleetVersionText = 32;
inline constexpr std::size_t kFleetBuckets = 256;
inline constexpr std::size_t kMaxFleetIds = 1'024;    // in one message
inline constexpr std::size_t kMaxFleetAcks = 64;      // in one row
inline constexpr std::size_t kMaxFleetBody = 20'000;  // bytes; the largest are 1,024 ids

// Values are part of the format: never renumber.
enum class FleetKind : std::uint8_t {
  kAction = 1,
  kWithdrawal = 2,
  kPulse = 3,
  kRow = 4,
  kBuckets = 5,
  kIds = 6,
};

using FleetId = std::array<std::uint8_t, 16>;

// Names an item. The bits of `id` are random.
struct FleetItemId {
  FleetId id{};
  bool is_withdrawal = false;
  auto operator<=>(const FleetItemId&) const = default;
};

// Times in nanoseconds since the Unix epoch, from 0 to this one, which is in the year 2116: sums and
// differences of two do not overflow. Others are malformed, except for the bounds of a rule, which
// may also be INT64_MIN (never) or INT64_MAX (for ever).
inline constexpr std::int64_t kMaxFleetTime = INT64_MAX / 2;

struct FleetRule {
  std::uint8_t kind = 0;  // claims::RuleKind
  std::array<std::uint8_t, 32> subject{};
  std::int64_t ends = 0;  // a bound, as are the next two
  std::int64_t not_before = 0;
  std::int64_t without_iat_ends = 0;
  bool operator==(const FleetRule&) const = default;
};

struct FleetAction {
  FleetId id{};
  FleetId author{};
  std::uint32_t actor_uid = 0;
  std::int64_t made_at = 0;
  std::vector<FleetRule> rules;  // by part; at least one
  bool operator==(const FleetAction&) const = default;
};

struct FleetWithdrawal {
  FleetId action{};
  FleetId author{};
  std::uint32_t actor_uid = 0;
  std::int64_t made_at = 0;
  std::int64_t ends = 0;  // a bound: that of the action
  bool operator==(const FleetWithdrawal&) const = default;
};

// A sum over a set of items (daemon/fleet/item_set.h).
struct FleetDigest {
  std::uint64_t items = 0;
  std::array<std::uint64_t, 2> sum{};
  bool operator==(const FleetDigest&) const = default;
};

struct FleetPulse {
  std::uint64_t number = 0;     // rises with every pulse of the fleet
  std::int64_t redis_time = 0;  // when it was written
  std::int64_t horizon = 0;     // the digest covers items that end later
  FleetDigest digest;
  bool operator==(const FleetPulse&) const = default;
};

struct FleetRow {
  std::uint64_t incarnation = 0;  // random, of this start of the daemon
  std::int64_t redis_time = 0;
  std::uint8_t currency = 0;  // fleet::Currency
  std::uint64_t items = 0;
  std::string name;
  std::string version;
  std::vector<FleetItemId> acknowledged;  // those that were asked for recently
  bool operator==(const FleetRow&) const = default;
};

// "I differ from the pulse; these are my buckets."
struct FleetBuckets {
  std::int64_t horizon = 0;
  std::array<std::uint64_t, kFleetBuckets> sums{};
  bool operator==(const FleetBuckets&) const = default;
};

// "In this bucket I have these items, up to `last`." Ascending.
struct FleetIds {
  std::int64_t horizon = 0;
  std::uint8_t bucket = 0;
  FleetItemId after;    // the list covers the items after this one ...
  bool is_last = true;  // ... up to its own last item, or to the end of the bucket
  std::vector<FleetItemId> items;
  bool operator==(const FleetIds&) const = default;
};

// The clear part.
struct FleetHeader {
  std::uint16_t version = kFleetVersion;
  std::uint8_t flags = 0;
  std::uint8_t key_id = 0;  // a hint which seal key it is
};

struct FleetSender {
  FleetId host{};
  std::uint64_t sequence = 0;
  bool wants_acknowledgement = false;  // of an item: by all hosts, in their rows
};

std::array<char, kFleetHeader> encode_fleet_header(const FleetHeader& header);
// False if `envelope` is too short to hold a header and a box.
bool decode_fleet_header(std::string_view envelope, FleetHeader& header);

// One body. Empty if a part exceeds its limit.
std::string encode_fleet(const FleetSender& sender, const FleetAction& action);
std::string encode_fleet(const FleetSender& sender, const FleetWithdrawal& withdrawal);
std::string encode_fleet(const FleetSender& sender, const FleetPulse& pulse);
std::string encode_fleet(const FleetSender& sender, const FleetRow& row);
std::string encode_fleet(const FleetSender& sender, const FleetBuckets& buckets);
std::string encode_fleet(const FleetSender& sender, const FleetIds& ids);

// The same from an encoded content.
std::string encode_fleet(const FleetSender& sender, FleetKind kind, std::string_view content);

struct FleetBody {
  FleetSender sender;
  FleetKind kind = FleetKind::kAction;
  std::string_view content;  // of the decoded bytes
};

// False if the bytes are not exactly one body, or exceed a limit.
bool decode_fleet_body(std::string_view bytes, FleetBody& body);
bool decode_fleet(std::string_view content, FleetAction& action);
bool decode_fleet(std::string_view content, FleetWithdrawal& withdrawal);
bool decode_fleet(std::string_view content, FleetPulse& pulse);
bool decode_fleet(std::string_view content, FleetRow& row);
bool decode_fleet(std::string_view content, FleetBuckets& buckets);
bool decode_fleet(std::string_view content, FleetIds& ids);

}  // namespace claimsd::proto
