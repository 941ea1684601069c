#include "daemon/store/claims_cache.h"

#include <errno.h>
#include <fmt/core.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>

#include "daemon/base/replace_file.h"
#include "daemon/crypto/hmac_sha256.h"
#include "daemon/store/check_in_child.h"
#include "daemon/store/environment_identity.h"
#include "daemon/store/pieces.h"

namespace claimsd::store {
namespace {

constexpr Duration kLogPause = std::chrono::minutes(1);
constexpr Duration kTryAgainPause = std::chrono::seconds(1);
// Disk space kept free for erasures. One transaction takes about twenty pages, which can be reused
// two transactions later.
constexpr std::size_t kDiskHeadroom = std::size_t{256} << 10;
constexpr std::size_t kSmallestReserve = std::size_t{1} << 20;

std::string_view view(const claims::TokenKey& key) {
  return {reinterpret_cast<const char*>(key.bytes.data()), key.bytes.size()};
}

bool is_further_piece(std::string_view key) {
  return key.size() == sizeof(claims::TokenKey::bytes) + 1;
}

bool removed(const std::string& path) {
  return unlink(path.c_str()) == 0 || errno == ENOENT;
}

}  // namespace

Result<std::unique_ptr<LmdbClaimsCache>> LmdbClaimsCache::open(const ClaimsCacheOptions& options,
                                                               const Secret& host_key,
                                                               const Clock& clock, Random& random,
                                                               Log& log) {
  TRY(ensure_private_directory(options.directory));
  DirectoryLock lock = TRY(DirectoryLock::acquire(options.directory));
  const auto found = load_identity(options.directory + "/identity", host_key, options.boot_id);
  const EnvironmentIdentity identity =
      found ? *found : EnvironmentIdentity::create(options.boot_id, random);
  const std::string_view salt = identity.salt_view();
  const Secret sealing_key = TRY(crypto::derive_key(host_key, "claimsd cache sealing", salt));
  Secret token_key_key = TRY(crypto::derive_key(host_key, "claimsd cache token keys", salt));
  crypto::Sealer sealer = TRY(crypto::Sealer::create(sealing_key, random));
  std::string encoded = TRY(encode_identity(identity, host_key));

  std::unique_ptr<LmdbClaimsCache> cache(
      new LmdbClaimsCache(options, clock, log, std::move(lock), std::move(encoded),
                          std::move(token_key_key), ClaimsRecords(std::move(sealer))));
  TRY(cache->open_or_start_empty(found ? "" : found.error().message));
  return cache;
}

LmdbClaimsCache::LmdbClaimsCache(const ClaimsCacheOptions& options, const Clock& clock, Log& log,
                                 DirectoryLock lock, std::string identity, Secret token_key_key,
                                 ClaimsRecords records)
    : options_(options),
      clock_(clock),
      log_(log),
      lock_(std::move(lock)),
      identity_(std::move(identity)),
      token_key_key_(std::move(token_key_key)),
      records_(std::move(records)) {}

LmdbClaimsCache::~LmdbClaimsCache() = default;

bool LmdbClaimsCache::LogLimit::allows(BootTime now) {
  if (next && now < *next) return false;
  next = now + kLogPause;
  return true;
}

// ---- opening ----------------------------------------------------------------------------------

Result<LmdbClaimsCache::Open> LmdbClaimsCache::open_environment() const {
  LmdbEnvironment::Options options;
  options.path = data_path();
  options.map_size = options_.map_size + std::max(options_.map_size / 8, kSmallestReserve);
  options.sync = LmdbEnvironment::Sync::kNone;
  options.exclusive = true;    // ensured by the directory's lock
  options.read_ahead = false;  // token keys are random
  LmdbEnvironment environment = TRY(LmdbEnvironment::open(options));
  const auto table = environment.table();
  if (!table) return failure(fmt::format("{}: {}", data_path(), table.error().text()));
  auto reader = environment.read();
  if (!reader) return failure(fmt::format("{}: {}", data_path(), reader.error().text()));
  return Open{std::move(environment), *table, std::move(*reader)};
}

// Walks all entries, so that a file LMDB cannot read is detected here and not while answering a
// query.
Result<LmdbClaimsCache::Contents> LmdbClaimsCache::walk(Open& open) const {
  Contents found;
  {
    auto cursor = open.reader.cursor(open.table);
    if (!cursor) return failure(cursor.error().text());
    auto record = cursor->first();
    for (; record; record = cursor->next()) {
      if (is_further_piece(record->key)) {
        ++found.pieces;
      } else if (ClaimsRecords::plausible(record->key, record->value)) {
        ++found.entries;
      } else {
        return failure("its file is damaged");
      }
    }
    if (!record.error().missing()) return failure("its file is damaged: " + record.error().text());
  }
  const auto stats = open.reader.stats(open.table);
  open.reader.reset();
  if (!stats || stats->entries != found.entries + found.pieces)
    return failure("its file is damaged");
  found.pages = stats->pages;
  return found;
}

bool LmdbClaimsCache::remove_files() const {
  // Data without its identity file is void, so removing either one suffices.
  const bool identity_gone = removed(identity_path());
  const bool data_gone = removed(data_path());
  return identity_gone || data_gone;
}

// Opens the existing data, or removes it first if there is a reason to start empty.
Status LmdbClaimsCache::open_or_start_empty(std::string why_empty) {
  if (why_empty.empty()) {
    if (!removed(identity_path())) {
      return failure(fmt::format("cannot remove {}: {}; allow the daemon's user to write there",
                                 identity_path(), std::strerror(errno)));
    }
    // LMDB would crash on a damaged file.
    Status begun = check_lmdb_file(data_path());
    if (!begun) begun = failure(fmt::format("its file is damaged: {}", begun.error().message));
    if (begun) begun = begin();
    if (begun) {
      log_.info("cache_kept", "kept {} cached entries in {}", entries_, options_.directory);
      return {};
    }
    why_empty = begun.error().message;
  }
  open_.reset();
  if (!remove_files() || access(data_path().c_str(), F_OK) == 0) {
    return failure(fmt::format(
        "cannot remove the old claims cache in {}: allow the daemon's user to write there",
        options_.directory));
  }
  TRY(begin());
  log_.info("cache_empty", "the claims cache in {} starts empty: {}", options_.directory,
            why_empty);
  return {};
}

Status LmdbClaimsCache::begin() {
  Open opened = TRY(open_environment());
  const Contents found = TRY(walk(opened));
  TRY(replace_file(identity_path(), identity_));
  open_.emplace(std::move(opened));
  entries_ = found.entries;
  pieces_ = found.pieces;
  peak_pages_ = found.pages;
  disk_has_room_ = true;
  return {};
}

// ---- failures ---------------------------------------------------------------------------------

// Whether the environment is open or could be reopened.
bool LmdbClaimsCache::usable() {
  if (open_) return true;
  const BootTime now = clock_.now().boot;
  if (now < try_again_) return false;
  try_again_ = now + kTryAgainPause;
  if (!gone_) gone_ = remove_files();
  if (!gone_ || !removed(data_path())) return false;
  const Status begun = begin();
  if (!begun) {
    gone_ = remove_files();
    counters_.error_at = now;
    if (failed_log_.allows(now)) {
      log_.error("cache_closed", "cannot recreate the claims cache, nothing is cached: {}",
                 begun.error().message);
    }
    return false;
  }
  log_.warning("cache_reopened", "the claims cache in {} was recreated", options_.directory);
  return true;
}

void LmdbClaimsCache::drop_everything(const std::string& why) {
  open_.reset();
  entries_ = 0;
  pieces_ = 0;
  gone_ = remove_files();
  const BootTime now = clock_.now().boot;
  try_again_ = now + kTryAgainPause;
  ++counters_.dropped;
  counters_.error_at = now;
  log_.error("cache_dropped",
             "all entries of the claims cache in {} were discarded: {}; check its file system",
             options_.directory, why);
}

void LmdbClaimsCache::count_failure() {
  ++counters_.failed;
  counters_.error_at = clock_.now().boot;
}

void LmdbClaimsCache::count_full_disk() {
  const BootTime now = clock_.now().boot;
  ++counters_.disk_full;
  counters_.disk_full_at = now;
  if (full_log_.allows(now)) {
    log_.warning(
        "cache_disk_full",
        "the file system of {} is full: new entries of the claims cache replace others, or "
        "are not cached; free space there",
        options_.directory);
  }
}

// After a failed put, whose transaction has ended. Earlier entries are intact unless LMDB says
// otherwise.
claims::Stored LmdbClaimsCache::give_up(LmdbError error, std::string_view doing) {
  if (error.map_full()) {
    ++counters_.full;
    return claims::Stored::kFull;
  }
  count_failure();
  if (error.poisoned() || open_->environment.poisoned()) {
    drop_everything(fmt::format("{}: {}", doing, error.text()));
    return claims::Stored::kFailed;
  }
  if (failed_log_.allows(clock_.now().boot)) {
    log_.error("cache_failed", "{} in {} failed: {}; check its file system", doing,
               options_.directory, error.text());
  }
  // kFull, because evicting entries frees pages that are already allocated on disk.
  return error.disk_full() ? claims::Stored::kFull : claims::Stored::kFailed;
}

void LmdbClaimsCache::report_tampered() {
  ++counters_.tampered;
  if (tampered_log_.allows(clock_.now().boot)) {
    log_.warning("cache_tampered",
                 "{} entries of the claims cache in {} were changed by another process and have "
                 "been erased: find the process that writes there",
                 counters_.tampered, options_.directory);
  }
}

// ---- entries ----------------------------------------------------------------------------------

std::optional<claims::Entry> LmdbClaimsCache::find(const claims::TokenKey& key) {
  if (!usable()) return {};
  LmdbReader& reader = open_->reader;
  if (const auto renewed = reader.renew(); !renewed) {
    count_failure();
    drop_everything("a read failed: " + renewed.error().text());
    return {};
  }
  const auto value = get_pieces(reader, open_->table, view(key), assembled_);
  std::optional<claims::Entry> entry;
  if (value) entry = records_.open(key, *value);
  reader.reset();
  if (value && !entry) {
    report_tampered();
    erase(key);
  } else if (!value && !value.error().missing()) {
    count_failure();
    drop_everything("a read failed: " + value.error().text());
  }
  return entry;
}

claims::Stored LmdbClaimsCache::put(const claims::TokenKey& key, const claims::Entry& entry) {
  if (!usable()) return claims::Stored::kFailed;
  const auto value = records_.seal(key, entry);
  if (!value) return not_sealed(entry);
  disk_has_room_ = open_->environment.reserve(kDiskHeadroom);
  if (!disk_has_room_) {
    count_full_disk();
  } else {
    counters_.disk_full_at.reset();
  }
  auto writer = open_->environment.write();
  if (!writer) return give_up(writer.error(), "a write");
  const LmdbTable table = open_->table;
  const auto before = writer->stats(table);
  if (!before) return give_up(before.error(), "a write");
  std::size_t pieces = pieces_;
  if (const auto replaced = replace(*writer, key, *value, pieces); !replaced) {
    return give_up(replaced.error(), "a write");
  }
  const auto after = writer->stats(table);
  if (!after) return give_up(after.error(), "a write");
  // Reject while LMDB still has pages for deleting. At its own MDB_MAP_FULL, or on a full disk, it
  // might have none.
  if (after->pages > before->pages && after->pages > page_limit()) {
    ++counters_.full;
    return claims::Stored::kFull;
  }
  if (const auto committed = writer->commit(); !committed) {
    return give_up(committed.error(), "a write");
  }
  entries_ = after->entries - pieces;
  pieces_ = pieces;
  if (disk_has_room_) peak_pages_ = std::max(peak_pages_, after->pages);
  return claims::Stored::kStored;
}

// Without pieces in the file, the search for old ones is spared.
LmdbStatus LmdbClaimsCache::replace(LmdbWriter& writer, const claims::TokenKey& key,
                                    std::string_view value, std::size_t& pieces) {
  if (pieces > 0) {
    const auto erased = erase_further(writer, open_->table, view(key));
    if (!erased) return tl::make_unexpected(erased.error());
    pieces -= *erased;
  }
  const auto written = put_pieces(writer, open_->table, view(key), value);
  if (!written) return tl::make_unexpected(written.error());
  pieces += *written;
  return {};
}

claims::Stored LmdbClaimsCache::not_sealed(const claims::Entry& entry) {
  count_failure();
  if (failed_log_.allows(clock_.now().boot)) {
    log_.error(
        "cache_failed",
        "an entry with claims of {} bytes could not be sealed (maximum {}): it is not cached",
        entry.claims.size(), kMaxStoredClaims);
  }
  return claims::Stored::kFailed;
}

std::size_t LmdbClaimsCache::page_limit() const {
  return disk_has_room_ ? options_.map_size / open_->environment.page_size() : peak_pages_;
}

bool LmdbClaimsCache::erase(const claims::TokenKey& key) {
  if (!usable()) return gone_;
  const LmdbTable table = open_->table;
  auto writer = open_->environment.write();
  LmdbStatus done = tl::make_unexpected(LmdbError(0));
  std::size_t left = entries_;
  std::size_t pieces = pieces_;
  if (writer) {
    done = writer->erase(table, view(key));
    if (!done && done.error().missing()) return true;
    if (done && pieces > 0) {
      const auto erased = erase_further(*writer, table, view(key));
      if (erased) pieces -= *erased;
      if (!erased) done = tl::make_unexpected(erased.error());
    }
    if (const auto stats = writer->stats(table); done && stats) {
      left = stats->entries - pieces;
    }
    if (done) done = writer->commit();
  } else {
    done = tl::make_unexpected(writer.error());
  }
  if (done) {
    entries_ = left;
    pieces_ = pieces;
    return true;
  }
  count_failure();
  drop_everything("an entry could not be erased: " + done.error().text());
  return gone_;
}

void LmdbClaimsCache::each(
    const std::function<void(const claims::TokenKey&, BootTime fresh_until)>& visit) {
  if (!usable()) return;
  LmdbReader& reader = open_->reader;
  if (!reader.renew()) return;
  if (auto cursor = reader.cursor(open_->table)) {
    for (auto record = cursor->first(); record; record = cursor->next()) {
      if (!ClaimsRecords::plausible(record->key, record->value)) continue;
      claims::TokenKey key;
      std::memcpy(key.bytes.data(), record->key.data(), key.bytes.size());
      visit(key, ClaimsRecords::fresh_until(record->value));
    }
  }
  reader.reset();
}

// Skips entries that do not decrypt; find() erases them on lookup.
std::optional<claims::TokenKey> LmdbClaimsCache::scan(
    const std::optional<claims::TokenKey>& after, std::size_t most,
    const std::function<void(const claims::TokenKey&, const claims::Entry&)>& visit) {
  std::optional<claims::TokenKey> last;
  if (!usable() || !open_->reader.renew()) return last;
  LmdbReader& reader = open_->reader;
  if (auto cursor = reader.cursor(open_->table)) {
    auto record = after ? cursor->seek(view(*after)) : cursor->first();
    if (after && record && record->key == view(*after)) record = cursor->next();
    for (std::size_t seen = 0; record && seen < most; ++seen, record = cursor->next()) {
      if (record->key.size() != claims::TokenKey().bytes.size()) continue;
      last.emplace();
      std::memcpy(last->bytes.data(), record->key.data(), last->bytes.size());
      const auto value = get_pieces(reader, open_->table, record->key, assembled_);
      if (!value) continue;
      if (const auto entry = records_.open(*last, *value)) visit(*last, *entry);
    }
    if (!record) last.reset();
  }
  reader.reset();
  return last;
}

}  // namespace claimsd::store
