#include "daemon/store/revocation_file.h"

#include <fmt/core.h>

#include <algorithm>
#include <utility>

#include "daemon/base/format_version.h"
#include "daemon/store/check_in_child.h"
#include "daemon/store/head_copy.h"
#include "daemon/store/host_key.h"
#include "proto/bytes.h"

namespace claimsd::store {
namespace {

constexpr std::uint16_t kLastVersion = 255;  // a larger number is damage
constexpr std::size_t kBytesPerRule = 768;   // with its withdrawal, and waste in half-full pages
constexpr std::size_t kSmallestMap = std::size_t{16} << 20;
constexpr std::size_t kHeadroom = std::size_t{1} << 20;

// LMDB would crash on a damaged file.
Status check_revocation_pages(const std::string& directory) {
  const std::string file = directory + "/revocations.mdb";
  const Status sound = check_lmdb_file(file);
  if (sound) return {};
  return failure(fmt::format(
      "the revocations in {} are damaged: {}: restore the directory {} from a backup; to "
      "start without revocations, which makes revoked tokens valid again, move it away and accept "
      "the empty set (OPERATIONS.md)",
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
  self->state_ = TRY(self->read(*self->open_, now, true));
  self->head_ = self->codec_.head_of(self->state_);
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

// Every version begins a record with its version.
tl::unexpected<Error> RevocationFile::unusable(std::string_view record) const {
  proto::Reader reader(record);
  const auto version = reader.integer<std::uint16_t>();
  if (reader.ok() && version != kRevocationVersion && version <= kLastVersion) {
    return failure(fmt::format(
        "{} {}: start the version of claimsd that wrote it; to start without "
        "revocations, which makes revoked tokens valid again, move {} away and accept the "
        "empty set (OPERATIONS.md)",
        path(), other_format(version, kRevocationVersion), options_.directory));
  }
  return damaged();
}

tl::unexpected<Error> RevocationFile::damaged() const {
  return failure(
      fmt::format("the revocations in {} are damaged, or were written with another key than "
                  "{}/key: restore the directory from a backup; to start without revocations, "
                  "which makes revoked tokens valid again, move it away and accept the empty set "
                  "(OPERATIONS.md)",
                  path(), options_.directory));
}

// Verifies every record, and that together they are the set that the head describes. `keep`: also
// fills the members for open().
Result<SetState> RevocationFile::read(Open& open, const Now& now, bool keep) {
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
  SetState found;
  SetState stated;
  for (auto record = cursor->first();; record = cursor->next()) {
    if (!record && record.error().missing()) break;
    if (!record) return unreadable(record.error());
    if (kind_of_key(record->key) == RecordKind::kHead) {
      const std::optional<SetState> head = codec_.decode_state(record->value);
      if (!head) return unusable(record->value);
      stated = *head;
    } else {
      TRY(take(*record, now, keep, found));
    }
  }
  found.sequence = stated.sequence;
  if (found != stated) return damaged();
  return found;
}

Status RevocationFile::take(const LmdbCursor::Record& record, const Now& now, bool keep,
                            SetState& found) {
  if (const auto rule = codec_.decode_rule(record.key, record.value)) {
    found.add(codec_.digest_of(rule->content));
    if (keep) keep_rule(*rule, now);
    return {};
  }
  const auto withdrawal = codec_.decode_withdrawal(record.key, record.value);
  if (!withdrawal) return unusable(record.value);
  found.add(codec_.digest_of(withdrawal->content));
  if (keep) keep_withdrawal(*withdrawal, now);
  return {};
}

void RevocationFile::keep_rule(const RevocationCodec::Stored<claims::Rule>& stored,
                               const Now& now) {
  const claims::Rule& rule = stored.content;
  const std::optional<claims::Rule> again =
      stored.of_this_boot ? std::optional(rule) : claims::after_reboot(rule, now);
  if (!again || again->has_ended(now)) {
    due_.ended_rules.push_back(rule.key);
    return;
  }
  rules_.push_back(*again);
  if (!stored.of_this_boot) due_.rules.push_back(*again);
}

// It expires together with its action, in memory (Revocations::expire).
void RevocationFile::keep_withdrawal(const RevocationCodec::Stored<claims::Withdrawal>& stored,
                                     const Now& now) {
  withdrawals_.push_back(stored.of_this_boot ? stored.content
                                             : claims::after_reboot(stored.content, now));
  if (!stored.of_this_boot) due_.withdrawals.push_back(withdrawals_.back());
}

Status RevocationFile::supersede(std::uint64_t beyond) {
  return write(take_due(), beyond);
}

// After a failed write it is unknown whether it reached the disk.
Status RevocationFile::reopen() {
  Open again = TRY(open_environment());
  const SetState found = TRY(read(again, Now{}, false));
  if (found.sequence < state_.sequence) {
    return failure(
        fmt::format("the revocations in {} are older than those that this daemon wrote; "
                    "check the disk",
                    path()));
  }
  state_ = found;
  head_ = codec_.head_of(state_);
  open_.emplace(std::move(again));
  return {};
}

Status RevocationFile::write(const claims::RevocationChange& change, std::uint64_t beyond) {
  if (!open_) TRY(reopen());
  SetState state = state_;
  state.sequence = std::max(state.sequence, beyond) + 1;
  LmdbStatus status;
  {
    LmdbResult<LmdbWriter> writer = open_->environment.write();
    status = writer ? apply(*writer, change, state) : tl::make_unexpected(writer.error());
    if (status) status = writer->put(open_->table, set_head_key(), codec_.encode(state));
    if (status) status = writer->commit();
  }
  if (status) {
    state_ = state;
    head_ = codec_.head_of(state_);
    open_->environment.reserve(kHeadroom);
    return {};
  }
  open_.reset();
  return failure(
      fmt::format("cannot write the revocations in {}: {}; free disk space or repair "
                  "the disk",
                  path(), status.error().text()));
}

LmdbStatus RevocationFile::apply(LmdbWriter& writer, const claims::RevocationChange& change,
                                 SetState& state) {
  LmdbStatus status;
  for (const claims::Rule& rule : change.rules)
    if (status) status = put(writer, revocation_key(rule.key), rule, state);
  for (const claims::Withdrawal& withdrawal : change.withdrawals)
    if (status) status = put(writer, withdrawal_key(withdrawal.action), withdrawal, state);
  for (const claims::RuleKey& key : change.ended_rules)
    if (status) status = erase(writer, revocation_key(key), state);
  for (const claims::ActionId& action : change.ended_withdrawals)
    if (status) status = erase(writer, withdrawal_key(action), state);
  return status;
}

template <class T>
LmdbStatus RevocationFile::put(LmdbWriter& writer, const std::string& key, const T& content,
                               SetState& state) {
  LmdbStatus status = forget(writer, key, state);
  if (!status && !status.error().missing()) return status;
  state.add(codec_.digest_of(content));
  return writer.put(open_->table, key, codec_.encode(content));
}

LmdbStatus RevocationFile::erase(LmdbWriter& writer, const std::string& key, SetState& state) {
  LmdbStatus status = forget(writer, key, state);
  if (status) return writer.erase(open_->table, key);
  if (status.error().missing()) return {};
  return status;
}

// Removes what is stored under `key` from the state.
LmdbStatus RevocationFile::forget(LmdbWriter& writer, const std::string& key, SetState& state) {
  const LmdbResult<std::string_view> value = writer.get(open_->table, key);
  if (!value) return tl::make_unexpected(value.error());
  if (const auto rule = codec_.decode_rule(key, *value)) {
    state.remove(codec_.digest_of(rule->content));
  } else if (const auto withdrawal = codec_.decode_withdrawal(key, *value)) {
    state.remove(codec_.digest_of(withdrawal->content));
  }
  return {};
}

Status RevocationFile::save_copy() const {
  return write_head_copy(options_.head_copy, head_);
}

}  // namespace claimsd::store
