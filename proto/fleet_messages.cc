#include "proto/fleet_messages.h"

#include <algorithm>

#include "proto/bytes.h"

namespace claimsd::proto {
namespace {

template <class Bytes>
void put_bytes(Writer& writer, const Bytes& bytes) {
  writer.bytes(bytes.data(), bytes.size());
}

template <class Bytes>
void take_bytes(Reader& reader, Bytes& bytes) {
  const std::string_view found = reader.bytes(bytes.size());
  std::copy(found.begin(), found.end(), bytes.begin());
}

void put_flag(Writer& writer, bool flag) {
  writer.integer(static_cast<std::uint8_t>(flag));
}

// Anything but 0 and 1 is malformed, so that a message has one encoding.
bool take_flag(Reader& reader) {
  const auto value = reader.integer<std::uint8_t>();
  if (value > 1) reader.fail();
  return value == 1;
}

std::int64_t take_time(Reader& reader) {
  const auto time = reader.integer<std::int64_t>();
  if (time < 0 || time > kMaxFleetTime) reader.fail();
  return time;
}

std::int64_t take_bound(Reader& reader) {
  const auto time = reader.integer<std::int64_t>();
  if (time != INT64_MIN && time != INT64_MAX && (time < 0 || time > kMaxFleetTime)) reader.fail();
  return time;
}

void put(Writer& writer, const FleetItemId& item) {
  put_bytes(writer, item.id);
  put_flag(writer, item.is_withdrawal);
}

void take(Reader& reader, FleetItemId& item) {
  take_bytes(reader, item.id);
  item.is_withdrawal = take_flag(reader);
}

void put(Writer& writer, const std::vector<FleetItemId>& items, std::size_t limit) {
  if (items.size() > limit) return writer.fail();
  writer.integer(static_cast<std::uint16_t>(items.size()));
  for (const FleetItemId& item : items) put(writer, item);
}

void take(Reader& reader, std::vector<FleetItemId>& items, std::size_t limit) {
  const std::size_t size = reader.integer<std::uint16_t>();
  if (size > limit) return reader.fail();
  items.clear();
  for (std::size_t at = 0; at < size && reader.ok(); ++at) take(reader, items.emplace_back());
}

void put(Writer& writer, const FleetRule& rule) {
  writer.integer(rule.kind);
  put_bytes(writer, rule.subject);
  writer.integer(rule.ends);
  writer.integer(rule.not_before);
  writer.integer(rule.without_iat_ends);
}

void take(Reader& reader, FleetRule& rule) {
  rule.kind = reader.integer<std::uint8_t>();
  take_bytes(reader, rule.subject);
  rule.ends = take_bound(reader);
  rule.not_before = take_bound(reader);
  rule.without_iat_ends = take_bound(reader);
}

void put(Writer& writer, const FleetAction& action) {
  put_bytes(writer, action.id);
  put_bytes(writer, action.author);
  writer.integer(action.actor_uid);
  writer.integer(action.made_at);
  if (action.rules.empty() || action.rules.size() > kMaxFleetRules) return writer.fail();
  writer.integer(static_cast<std::uint8_t>(action.rules.size()));
  for (const FleetRule& rule : action.rules) put(writer, rule);
}

void take(Reader& reader, FleetAction& action) {
  take_bytes(reader, action.id);
  take_bytes(reader, action.author);
  action.actor_uid = reader.integer<std::uint32_t>();
  action.made_at = take_time(reader);
  const std::size_t rules = reader.integer<std::uint8_t>();
  if (rules == 0) return reader.fail();
  action.rules.clear();
  for (std::size_t at = 0; at < rules && reader.ok(); ++at)
    take(reader, action.rules.emplace_back());
}

void put(Writer& writer, const FleetWithdrawal& withdrawal) {
  put_bytes(writer, withdrawal.action);
  put_bytes(writer, withdrawal.author);
  writer.integer(withdrawal.actor_uid);
  writer.integer(withdrawal.made_at);
  writer.integer(withdrawal.ends);
}

void take(Reader& reader, FleetWithdrawal& withdrawal) {
  take_bytes(reader, withdrawal.action);
  take_bytes(reader, withdrawal.author);
  withdrawal.actor_uid = reader.integer<std::uint32_t>();
  withdrawal.made_at = take_time(reader);
  withdrawal.ends = take_bound(reader);
}

void put(Writer& writer, const FleetPulse& pulse) {
  writer.integer(pulse.number);
  writer.integer(pulse.redis_time);
  writer.integer(pulse.horizon);
  writer.integer(pulse.digest.items);
  for (const std::uint64_t part : pulse.digest.sum) writer.integer(part);
}

void take(Reader& reader, FleetPulse& pulse) {
  pulse.number = reader.integer<std::uint64_t>();
  pulse.redis_time = take_time(reader);
  pulse.horizon = take_time(reader);
  pulse.digest.items = reader.integer<std::uint64_t>();
  for (std::uint64_t& part : pulse.digest.sum) part = reader.integer<std::uint64_t>();
}

void put(Writer& writer, const FleetRow& row) {
  writer.integer(row.incarnation);
  writer.integer(row.redis_time);
  writer.integer(row.currency);
  writer.integer(row.items);
  writer.sized<std::uint16_t>(row.name, kMaxFleetName);
  writer.sized<std::uint16_t>(row.version, kMaxFleetVersionText);
  put(writer, row.acknowledged, kMaxFleetAcks);
}

void take(Reader& reader, FleetRow& row) {
  row.incarnation = reader.integer<std::uint64_t>();
  row.redis_time = take_time(reader);
  row.currency = reader.integer<std::uint8_t>();
  row.items = reader.integer<std::uint64_t>();
  row.name = reader.sized<std::uint16_t>(kMaxFleetName);
  row.version = reader.sized<std::uint16_t>(kMaxFleetVersionText);
  take(reader, row.acknowledged, kMaxFleetAcks);
}

void put(Writer& writer, const FleetBuckets& buckets) {
  writer.integer(buckets.horizon);
  for (const std::uint64_t sum : buckets.sums) writer.integer(sum);
}

void take(Reader& reader, FleetBuckets& buckets) {
  buckets.horizon = take_time(reader);
  for (std::uint64_t& sum : buckets.sums) sum = reader.integer<std::uint64_t>();
}

void put(Writer& writer, const FleetIds& ids) {
  writer.integer(ids.horizon);
  writer.integer(ids.bucket);
  put(writer, ids.after);
  put_flag(writer, ids.is_last);
  put(writer, ids.items, kMaxFleetIds);
}

void take(Reader& reader, FleetIds& ids) {
  ids.horizon = take_time(reader);
  ids.bucket = reader.integer<std::uint8_t>();
  take(reader, ids.after);
  ids.is_last = take_flag(reader);
  take(reader, ids.items, kMaxFleetIds);
  if (!std::is_sorted(ids.items.begin(), ids.items.end())) reader.fail();
}

void put(Writer& writer, FleetKind kind, const FleetSender& sender) {
  writer.integer(static_cast<std::uint8_t>(kind));
  put_flag(writer, sender.wants_acknowledgement);
  put_bytes(writer, sender.host);
  writer.integer(sender.sequence);
}

std::string written(const Writer& writer, const char* buffer) {
  return writer.ok() ? std::string(buffer, writer.size()) : std::string();
}

template <class Content>
std::string encode(const FleetSender& sender, FleetKind kind, const Content& content) {
  std::array<char, kMaxFleetBody> buffer;  // NOLINT: only what was written is read
  Writer writer(buffer.data(), buffer.size());
  put(writer, kind, sender);
  put(writer, content);
  return written(writer, buffer.data());
}

template <class Content>
bool decode(std::string_view bytes, Content& content) {
  Reader reader(bytes);
  take(reader, content);
  return reader.ok() && reader.left() == 0;
}

}  // namespace

std::array<char, kFleetHeader> encode_fleet_header(const FleetHeader& header) {
  std::array<char, kFleetHeader> bytes{};
  Writer writer(bytes.data(), bytes.size());
  writer.integer(header.version);
  writer.integer(header.flags);
  writer.integer(header.key_id);
  return bytes;
}

bool decode_fleet_header(std::string_view envelope, FleetHeader& header) {
  Reader reader(envelope);
  header.version = reader.integer<std::uint16_t>();
  header.flags = reader.integer<std::uint8_t>();
  header.key_id = reader.integer<std::uint8_t>();
  return reader.ok();
}

bool decode_fleet_body(std::string_view bytes, FleetBody& body) {
  if (bytes.size() > kMaxFleetBody) return false;
  Reader reader(bytes);
  const auto kind = reader.integer<std::uint8_t>();
  body.sender.wants_acknowledgement = take_flag(reader);
  take_bytes(reader, body.sender.host);
  body.sender.sequence = reader.integer<std::uint64_t>();
  if (!reader.ok() || kind < 1 || kind > static_cast<std::uint8_t>(FleetKind::kIds)) return false;
  body.kind = static_cast<FleetKind>(kind);
  body.content = reader.bytes(reader.left());
  return true;
}

std::string encode_fleet(const FleetSender& sender, FleetKind kind, std::string_view content) {
  std::array<char, kMaxFleetBody> buffer;  // NOLINT: only what was written is read
  Writer writer(buffer.data(), buffer.size());
  put(writer, kind, sender);
  writer.bytes(content.data(), content.size());
  return written(writer, buffer.data());
}

#define CLAIMSD_FLEET_CODEC(Struct, kind)                                      \
  std::string encode_fleet(const FleetSender& sender, const Struct& content) { \
    return encode(sender, FleetKind::kind, content);                           \
  }                                                                            \
  bool decode_fleet(std::string_view bytes, Struct& content) {                 \
    return decode(bytes, content);                                             \
  }
CLAIMSD_FLEET_CODEC(FleetAction, kAction)
CLAIMSD_FLEET_CODEC(FleetWithdrawal, kWithdrawal)
CLAIMSD_FLEET_CODEC(FleetPulse, kPulse)
CLAIMSD_FLEET_CODEC(FleetRow, kRow)
CLAIMSD_FLEET_CODEC(FleetBuckets, kBuckets)
CLAIMSD_FLEET_CODEC(FleetIds, kIds)
#undef CLAIMSD_FLEET_CODEC

}  // namespace claimsd::proto
