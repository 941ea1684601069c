#include "daemon/store/revocation_file.h"

#include <fmt/core.h>
#include <openssl/crypto.h>

#include <algorithm>
#include <array>

#include "daemon/base/format_version.h"
#include "daemon/store/check_in_child.h"
#include "daemon/store/host_key.h"
#include "proto/bytes.h"

namespace claimsd::store {
namespace {

constexpr std::uint16_t kVersion = 2;
constexpr std::uint16_t kLastVersion = 255;  // a larger number is damage
constexpr std::size_t kMaxBootId = 64;
constexpr std::size_t kMaxRecord = 2 + 2 + kMaxBootId + 8 * 8 + crypto::HmacSha256::kSize;
constexpr std::size_t kBytesPerRule = 768;  // including waste in half-full pages
constexpr std::size_t kSmallestMap = std::size_t{16} << 20;
constexpr std::size_t kHeadroom = std::size_t{1} << 20;

std::string key_of(const claims::RuleName& name) {
  std::string key(1, static_cast<char>(name.kind));
  key.append(reinterpret_cast<const char*>(name.subject.bytes.data()), name.subject.bytes.size());
  return key;
}

std::int64_t count(auto time) {
  return time.time_since_epoch().count();
}

template <class Time>
Time read_time(proto::Reader& reader) {
  return Time(Duration(reader.integer<std::int64_t>()));
}

std::string_view view(const crypto::HmacSha256::Digest& digest) {
  return {reinterpret_cast<const char*>(digest.data()), digest.size()};
}

// LMDB would crash on a damaged file.
Status check_revocation_pages(const std::string& directory) {
  const std::string file = directory + "/revocations.mdb";
  const Status sound = check_lmdb_file(file);
  if (sound) return {};
  return failure(fmt::format(
      "the revocations in {} are damaged: {}: restore the directory {} from a backup; to "
      "start without revocations, which makes revoked tokens valid again, move it away",
      file, sound.error().message, directory));
}

}  // namespace

Result<Secret> load_revocation_key(const std::string& directory, Random& random) {
  TRY(ensure_private_directory(directory));
  return load_host_key(directory + "/key", HostKeySource::kFile, random);
}

Result<std::unique_ptr<RevocationFile>> RevocationFile::open(RevocationFileOptions options,
                                                             const Secret& key, const Now& now) {
  TRY(ensure_private_directory(options.directory));
  DirectoryLock lock = TRY(DirectoryLock::acquire(options.directory));
  TRY(check_revocation_pages(options.directory));
  const Secret check_key = TRY(crypto::derive_key(key, "claimsd revocation check", ""));
  crypto::HmacSha256 check = TRY(crypto::HmacSha256::create(check_key.view()));
  std::unique_ptr<RevocationFile> self(
      new RevocationFile(std::move(options), std::move(lock), std::move(check)));
  self->open_ = TRY(self->open_environment());
  self->rules_ = TRY(self->read(*self->open_, now));
  // Store the expiry times on this boot's clock, so that the next start can continue from them.
  TRY(self->write(self->rules_, std::exchange(self->void_, {})));
  return self;
}

Result<RevocationFile::Open> RevocationFile::open_environment() const {
  const std::size_t size = std::max(kSmallestMap, options_.max_rules * kBytesPerRule);
  LmdbEnvironment environment = TRY(LmdbEnvironment::open(
      {.path = path(), .map_size = size, .exclusive = true, .read_ahead = false}));
  const LmdbResult<LmdbTable> table = environment.table();
  if (!table) {
    return failure(fmt::format("cannot open the revocations in {}: {}; check the disk", path(),
                               table.error().text()));
  }
  return Open{std::move(environment), *table};
}

Result<std::vector<claims::Rule>> RevocationFile::read(Open& open, const Now& now) {
  std::vector<claims::Rule> rules;
  const auto unreadable = [this](const LmdbError& error) {
    return failure(
        fmt::format("cannot read the revocations in {}: {}; check the disk, or restore "
                    "the directory from a backup",
                    path(), error.text()));
  };
  LmdbResult<LmdbReader> reader = open.environment.read();
  if (!reader) return unreadable(reader.error());
  LmdbResult<LmdbCursor> cursor = reader->cursor(open.table);
  if (!cursor) return unreadable(cursor.error());
  for (auto record = cursor->first();; record = cursor->next()) {
    if (!record && record.error().missing()) return rules;
    if (!record) return unreadable(record.error());
    const std::optional<claims::Rule> rule = decode(record->key, record->value, now);
    if (!rule) return unusable(record->value);
    rules.push_back(*rule);
    if (rule->ends.has_come(now) && rule->without_iat_ends.has_come(now)) {
      void_.push_back(rule->name);
      rules.pop_back();
    }
  }
}

// Every version begins a record with its version.
tl::unexpected<Error> RevocationFile::unusable(std::string_view record) const {
  proto::Reader reader(record);
  const auto version = reader.integer<std::uint16_t>();
  if (reader.ok() && version != kVersion && version <= kLastVersion) {
    return failure(
        fmt::format("{} {}: start the version of claimsd that wrote it; to start without "
                    "revocations, which makes revoked tokens valid again, move {} away",
                    path(), other_format(version, kVersion), options_.directory));
  }
  return failure(
      fmt::format("the revocations in {} are damaged, or were written with another key than "
                  "{}/key: restore the directory from a backup; to start without revocations, "
                  "which makes revoked tokens valid again, move it away",
                  path(), options_.directory));
}

Status RevocationFile::keep(std::span<const claims::Rule> rules) {
  return write(rules, {});
}

Status RevocationFile::drop(std::span<const claims::RuleName> names) {
  return write({}, names);
}

Status RevocationFile::write(std::span<const claims::Rule> rules,
                             std::span<const claims::RuleName> gone) {
  if (rules.empty() && gone.empty()) return {};
  if (!open_) {
    Open again = TRY(open_environment());
    TRY(read(again, Now{}));
    open_.emplace(std::move(again));
  }
  LmdbStatus status;
  {
    LmdbResult<LmdbWriter> writer = open_->environment.write();
    if (!writer) status = tl::make_unexpected(writer.error());
    for (const claims::Rule& rule : rules) {
      if (!status) break;
      const std::string key = key_of(rule.name);
      status = writer->put(open_->table, key, encode(rule, key));
    }
    for (const claims::RuleName& name : gone) {
      if (!status) break;
      status = writer->erase(open_->table, key_of(name));
      if (!status && status.error().missing()) status = {};
    }
    if (status) status = writer->commit();
  }
  if (status) {
    open_->environment.reserve(kHeadroom);
    return {};
  }
  open_.reset();
  return failure(
      fmt::format("cannot write the revocations in {}: {}; free disk space or repair the disk, "
                  "then repeat the purge or revocation",
                  path(), status.error().text()));
}

std::string RevocationFile::encode(const claims::Rule& rule, const std::string& key) {
  std::array<char, kMaxRecord> buffer;  // NOLINT: only what was written is read
  proto::Writer writer(buffer.data(), buffer.size());
  writer.integer(kVersion);
  writer.sized<std::uint16_t>(options_.boot_id, kMaxBootId);
  for (const std::int64_t time :
       {count(rule.made_at.wall), count(rule.made_at.boot), count(rule.ends.wall),
        count(rule.ends.boot), count(rule.not_before), count(rule.without_iat_ends.wall),
        count(rule.without_iat_ends.boot), count(rule.purged_until)}) {
    writer.integer(time);
  }
  std::string value(buffer.data(), writer.size());
  return value.append(view(check_.finish(key + value)));
}

// Nothing if the record is not authentic.
std::optional<claims::Rule> RevocationFile::decode(std::string_view key, std::string_view value,
                                                   const Now& now) {
  claims::Rule rule;
  if (key.size() != 1 + rule.name.subject.bytes.size() || value.size() < crypto::HmacSha256::kSize)
    return std::nullopt;
  const std::string_view checked = value.substr(0, value.size() - crypto::HmacSha256::kSize);
  const crypto::HmacSha256::Digest expected = check_.finish(std::string(key).append(checked));
  if (CRYPTO_memcmp(expected.data(), value.data() + checked.size(), expected.size()) != 0)
    return std::nullopt;

  const auto kind = static_cast<std::uint8_t>(key.front());
  proto::Reader reader(checked);
  if (reader.integer<std::uint16_t>() != kVersion || kind < 1 || kind > 6) return std::nullopt;
  const std::string_view boot_id = reader.sized<std::uint16_t>(kMaxBootId);
  rule.name.kind = static_cast<claims::RuleKind>(kind);
  std::copy(key.begin() + 1, key.end(), rule.name.subject.bytes.begin());
  rule.made_at.wall = read_time<WallTime>(reader);
  rule.made_at.boot = read_time<BootTime>(reader);
  rule.ends.wall = read_time<WallTime>(reader);
  rule.ends.boot = read_time<BootTime>(reader);
  rule.not_before = read_time<WallTime>(reader);
  rule.without_iat_ends.wall = read_time<WallTime>(reader);
  rule.without_iat_ends.boot = read_time<BootTime>(reader);
  rule.purged_until = read_time<BootTime>(reader);
  if (!reader.ok() || reader.left() != 0) return std::nullopt;
  if (boot_id == options_.boot_id) return rule;
  if (const std::optional<claims::Rule> again = claims::after_reboot(rule, now)) return again;
  rule.ends = rule.without_iat_ends = claims::RuleEnd{};  // expired; will be dropped
  return rule;
}

}  // namespace claimsd::store
