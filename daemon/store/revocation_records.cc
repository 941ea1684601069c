#include "daemon/store/revocation_records.h"

#include <openssl/crypto.h>

#include <algorithm>
#include <array>

#include "daemon/store/stored_time.h"
#include "proto/bytes.h"

namespace claimsd::store {
namespace {

using crypto::HmacSha256;

constexpr std::size_t kMaxBootId = 64;
constexpr std::size_t kMaxRecord = 256;
constexpr std::size_t kActionSize = sizeof(claims::ActionId::bytes);

template <class Time>
Time read_time(proto::Reader& reader) {
  return Time(Duration(reader.integer<std::int64_t>()));
}

Now read_now(proto::Reader& reader) {
  const auto wall = read_time<WallTime>(reader);
  return {read_time<BootTime>(reader), wall};
}

claims::RuleEnd read_end(proto::Reader& reader) {
  const auto wall = read_time<WallTime>(reader);
  return {wall, read_time<BootTime>(reader)};
}

std::string_view view(const auto& bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

template <class Bytes>
void read_bytes(proto::Reader& reader, Bytes& bytes) {
  const std::string_view found = reader.bytes(bytes.size());
  std::copy(found.begin(), found.end(), bytes.begin());
}

std::string key_of(RecordKind kind, const claims::ActionId& action) {
  std::string key(1, static_cast<char>(kind));
  return key.append(view(action.bytes));
}

claims::ActionId action_of_key(std::string_view key) {
  claims::ActionId action;
  std::copy_n(key.begin() + 1, kActionSize, action.bytes.begin());
  return action;
}

// Writes the members of one value.
class ValueWriter {
 public:
  ValueWriter() : writer_(buffer_.data(), buffer_.size()) {}
  proto::Writer& writer() { return writer_; }
  void times(std::initializer_list<std::int64_t> all) {
    for (const std::int64_t time : all) writer_.integer(time);
  }
  std::string text() const { return {buffer_.data(), writer_.size()}; }

 private:
  std::array<char, kMaxRecord> buffer_;  // NOLINT: only what was written is read
  proto::Writer writer_;
};

}  // namespace

void SetState::add(const HmacSha256::Digest& record) {
  ++records;
  for (std::size_t at = 0; at < sum.size(); ++at) sum[at] ^= record[at];
}

void SetState::remove(const HmacSha256::Digest& record) {
  add(record);
  records -= 2;
}

std::string revocation_key(const claims::RuleKey& rule) {
  return key_of(RecordKind::kRule, rule.action) + static_cast<char>(rule.part);
}

std::string withdrawal_key(const claims::ActionId& action) {
  return key_of(RecordKind::kWithdrawal, action);
}

std::string set_head_key() {
  return std::string(1, static_cast<char>(RecordKind::kHead));
}

RecordKind kind_of_key(std::string_view key) {
  if (key == set_head_key()) return RecordKind::kHead;
  if (key.size() == kActionSize + 2 && key.front() == static_cast<char>(RecordKind::kRule))
    return RecordKind::kRule;
  if (key.size() == kActionSize + 1 && key.front() == static_cast<char>(RecordKind::kWithdrawal))
    return RecordKind::kWithdrawal;
  return RecordKind::kUnknown;
}

std::string RevocationCodec::with_check(const std::string& key, std::string value) {
  const HmacSha256::Digest check = check_.finish(key + value);
  return value.append(view(check));
}

std::optional<std::string_view> RevocationCodec::checked(std::string_view key,
                                                         std::string_view value) {
  if (value.size() < HmacSha256::kSize) return std::nullopt;
  const std::string_view content = value.substr(0, value.size() - HmacSha256::kSize);
  const HmacSha256::Digest expected = check_.finish(std::string(key).append(content));
  if (CRYPTO_memcmp(expected.data(), value.data() + content.size(), expected.size()) != 0)
    return std::nullopt;
  return content;
}

std::string RevocationCodec::encode(const claims::Rule& rule) {
  ValueWriter value;
  proto::Writer& writer = value.writer();
  writer.integer(kRevocationVersion);
  writer.sized<std::uint16_t>(boot_id_, kMaxBootId);
  writer.integer(static_cast<std::uint8_t>(rule.name.kind));
  writer.bytes(rule.name.subject.bytes.data(), rule.name.subject.bytes.size());
  writer.integer(rule.actor_uid);
  writer.bytes(rule.author.bytes.data(), rule.author.bytes.size());
  value.times({count(rule.made_at.wall), count(rule.made_at.boot), count(rule.ends.wall),
               count(rule.ends.boot), count(rule.not_before), count(rule.without_iat_ends.wall),
               count(rule.without_iat_ends.boot), count(rule.purged_until)});
  return with_check(revocation_key(rule.key), value.text());
}

std::string RevocationCodec::encode(const claims::Withdrawal& withdrawal) {
  ValueWriter value;
  value.writer().integer(kRevocationVersion);
  value.writer().sized<std::uint16_t>(boot_id_, kMaxBootId);
  value.writer().integer(withdrawal.actor_uid);
  value.writer().bytes(withdrawal.author.bytes.data(), withdrawal.author.bytes.size());
  value.times({count(withdrawal.made_at.wall), count(withdrawal.made_at.boot),
               count(withdrawal.ends.wall), count(withdrawal.ends.boot)});
  return with_check(withdrawal_key(withdrawal.action), value.text());
}

std::string RevocationCodec::encode(const SetState& state) {
  ValueWriter value;
  value.writer().integer(kRevocationVersion);
  value.writer().integer(state.sequence);
  value.writer().integer(state.records);
  value.writer().bytes(state.sum.data(), state.sum.size());
  return with_check(set_head_key(), value.text());
}

std::optional<RevocationCodec::Stored<claims::Rule>> RevocationCodec::decode_rule(
    std::string_view key, std::string_view value) {
  if (kind_of_key(key) != RecordKind::kRule) return std::nullopt;
  const auto content = checked(key, value);
  if (!content) return std::nullopt;
  proto::Reader reader(*content);
  if (reader.integer<std::uint16_t>() != kRevocationVersion) return std::nullopt;
  const std::string_view boot_id = reader.sized<std::uint16_t>(kMaxBootId);
  const auto kind = reader.integer<std::uint8_t>();
  if (kind < 1 || kind > 6) return std::nullopt;
  claims::Rule rule;
  rule.key = {action_of_key(key), static_cast<std::uint8_t>(key.back())};
  rule.name.kind = static_cast<claims::RuleKind>(kind);
  read_bytes(reader, rule.name.subject.bytes);
  rule.actor_uid = reader.integer<std::uint32_t>();
  read_bytes(reader, rule.author.bytes);
  rule.made_at = read_now(reader);
  rule.ends = read_end(reader);
  rule.not_before = read_time<WallTime>(reader);
  rule.without_iat_ends = read_end(reader);
  rule.purged_until = read_time<BootTime>(reader);
  if (!reader.ok() || reader.left() != 0) return std::nullopt;
  return Stored<claims::Rule>{rule, boot_id == boot_id_};
}

std::optional<RevocationCodec::Stored<claims::Withdrawal>> RevocationCodec::decode_withdrawal(
    std::string_view key, std::string_view value) {
  if (kind_of_key(key) != RecordKind::kWithdrawal) return std::nullopt;
  const auto content = checked(key, value);
  if (!content) return std::nullopt;
  proto::Reader reader(*content);
  if (reader.integer<std::uint16_t>() != kRevocationVersion) return std::nullopt;
  const std::string_view boot_id = reader.sized<std::uint16_t>(kMaxBootId);
  claims::Withdrawal withdrawal{.action = action_of_key(key)};
  withdrawal.actor_uid = reader.integer<std::uint32_t>();
  read_bytes(reader, withdrawal.author.bytes);
  withdrawal.made_at = read_now(reader);
  withdrawal.ends = read_end(reader);
  if (!reader.ok() || reader.left() != 0) return std::nullopt;
  return Stored<claims::Withdrawal>{withdrawal, boot_id == boot_id_};
}

std::optional<SetState> RevocationCodec::decode_state(std::string_view value) {
  const auto content = checked(set_head_key(), value);
  if (!content) return std::nullopt;
  proto::Reader reader(*content);
  SetState state;
  if (reader.integer<std::uint16_t>() != kRevocationVersion) return std::nullopt;
  state.sequence = reader.integer<std::uint64_t>();
  state.records = reader.integer<std::uint64_t>();
  read_bytes(reader, state.sum);
  if (!reader.ok() || reader.left() != 0) return std::nullopt;
  return state;
}

HmacSha256::Digest RevocationCodec::digest_of(const claims::Rule& rule) {
  ValueWriter value;
  value.writer().integer(static_cast<std::uint8_t>(rule.name.kind));
  value.writer().bytes(rule.name.subject.bytes.data(), rule.name.subject.bytes.size());
  value.writer().integer(rule.actor_uid);
  value.writer().bytes(rule.author.bytes.data(), rule.author.bytes.size());
  value.times({count(rule.made_at.wall), count(rule.ends.wall), count(rule.not_before),
               count(rule.without_iat_ends.wall)});
  return check_.finish("stable" + revocation_key(rule.key) + value.text());
}

HmacSha256::Digest RevocationCodec::digest_of(const claims::Withdrawal& withdrawal) {
  ValueWriter value;
  value.writer().integer(withdrawal.actor_uid);
  value.writer().bytes(withdrawal.author.bytes.data(), withdrawal.author.bytes.size());
  value.times({count(withdrawal.made_at.wall), count(withdrawal.ends.wall)});
  return check_.finish("stable" + withdrawal_key(withdrawal.action) + value.text());
}

claims::SetHead RevocationCodec::head_of(const SetState& state) {
  return {state.sequence, check_.finish("head" + encode(state))};
}

}  // namespace claimsd::store
