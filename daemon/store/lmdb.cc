#include "daemon/store/lmdb.h"

#include <errno.h>
#include <fcntl.h>
#include <fmt/core.h>
#include <lmdb.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>

namespace claimsd::daemon {
namespace {

constexpr std::size_t kReserveChunk = std::size_t{1} << 20;

MDB_val to_val(std::string_view bytes) {
  return {bytes.size(), const_cast<char*>(bytes.data())};  // LMDB does not write to it
}

std::string_view to_view(const MDB_val& value) {
  return {static_cast<const char*>(value.mv_data), value.mv_size};
}

auto error(int code) {
  return tl::make_unexpected(LmdbError(code));
}

LmdbStatus status(int code) {
  if (code != MDB_SUCCESS) return error(code);
  return {};
}

LmdbResult<std::string_view> get_in(MDB_txn* txn, LmdbTable table, std::string_view key) {
  MDB_val at = to_val(key);
  MDB_val value{};
  const int code = mdb_get(txn, table, &at, &value);
  if (code != MDB_SUCCESS) return error(code);
  return to_view(value);
}

LmdbResult<LmdbStats> stats_in(MDB_txn* txn, LmdbTable table) {
  MDB_stat stat{};
  const int code = mdb_stat(txn, table, &stat);
  if (code != MDB_SUCCESS) return error(code);
  return LmdbStats{stat.ms_entries,
                   stat.ms_branch_pages + stat.ms_leaf_pages + stat.ms_overflow_pages};
}

unsigned put_flags(LmdbPut how) {
  switch (how) {
    case LmdbPut::kReplace: return 0;
    case LmdbPut::kInsert: return MDB_NOOVERWRITE;
    case LmdbPut::kAppend: return MDB_APPEND;
  }
  return 0;
}

unsigned open_flags(const LmdbEnvironment::Options& options) {
  unsigned flags = MDB_NOSUBDIR | MDB_NOTLS;
  if (options.sync == LmdbEnvironment::Sync::kNone) flags |= MDB_NOSYNC | MDB_NOMETASYNC;
  if (options.exclusive) flags |= MDB_NOLOCK;
  if (options.read_only) flags |= MDB_RDONLY;
  if (!options.read_ahead) flags |= MDB_NORDAHEAD;
  return flags;
}

}  // namespace

bool LmdbError::missing() const {
  return code_ == MDB_NOTFOUND;
}
bool LmdbError::exists() const {
  return code_ == MDB_KEYEXIST;
}
bool LmdbError::map_full() const {
  return code_ == MDB_MAP_FULL;
}
bool LmdbError::disk_full() const {
  return code_ == EIO || code_ == ENOSPC || code_ == EDQUOT || code_ == EFBIG;
}
bool LmdbError::poisoned() const {
  return code_ == MDB_PANIC;
}
std::string LmdbError::text() const {
  return mdb_strerror(code_);
}

void LmdbCursor::Close::operator()(MDB_cursor* cursor) const {
  mdb_cursor_close(cursor);
}
void LmdbReader::Abort::operator()(MDB_txn* txn) const {
  mdb_txn_abort(txn);
}
void LmdbWriter::Abort::operator()(MDB_txn* txn) const {
  mdb_txn_abort(txn);
}
void LmdbEnvironment::Close::operator()(MDB_env* env) const {
  mdb_env_close(env);
}

LmdbResult<LmdbCursor::Record> LmdbCursor::move(int operation, std::string_view key) {
  MDB_val at = to_val(key);
  MDB_val value{};
  const int code =
      mdb_cursor_get(cursor_.get(), &at, &value, static_cast<MDB_cursor_op>(operation));
  if (code != MDB_SUCCESS) return error(code);
  return Record{to_view(at), to_view(value)};
}

LmdbResult<LmdbCursor::Record> LmdbCursor::first() {
  return move(MDB_FIRST, {});
}
LmdbResult<LmdbCursor::Record> LmdbCursor::next() {
  return move(MDB_NEXT, {});
}
LmdbResult<LmdbCursor::Record> LmdbCursor::previous() {
  return move(MDB_PREV, {});
}
LmdbResult<LmdbCursor::Record> LmdbCursor::last() {
  return move(MDB_LAST, {});
}
LmdbResult<LmdbCursor::Record> LmdbCursor::seek(std::string_view key) {
  return move(MDB_SET_RANGE, key);
}

void LmdbReader::reset() {
  mdb_txn_reset(txn_.get());
}

LmdbStatus LmdbReader::renew() {
  return status(mdb_txn_renew(txn_.get()));
}

LmdbResult<std::string_view> LmdbReader::get(LmdbTable table, std::string_view key) const {
  return get_in(txn_.get(), table, key);
}

LmdbResult<LmdbStats> LmdbReader::stats(LmdbTable table) const {
  return stats_in(txn_.get(), table);
}

LmdbResult<LmdbCursor> LmdbReader::cursor(LmdbTable table) const {
  MDB_cursor* cursor = nullptr;
  const int code = mdb_cursor_open(txn_.get(), table, &cursor);
  if (code != MDB_SUCCESS) return error(code);
  return LmdbCursor(cursor);
}

// After a failed operation the transaction may be half applied.
LmdbStatus LmdbWriter::finished(int code) {
  if (code != MDB_SUCCESS && code != MDB_NOTFOUND) abort();
  return status(code);
}

LmdbStatus LmdbWriter::put(LmdbTable table, std::string_view key, std::string_view value,
                           LmdbPut how) {
  if (!txn_) return error(MDB_BAD_TXN);
  MDB_val at = to_val(key);
  MDB_val stored = to_val(value);
  return finished(mdb_put(txn_.get(), table, &at, &stored, put_flags(how)));
}

LmdbStatus LmdbWriter::erase(LmdbTable table, std::string_view key) {
  if (!txn_) return error(MDB_BAD_TXN);
  MDB_val at = to_val(key);
  return finished(mdb_del(txn_.get(), table, &at, nullptr));
}

LmdbResult<std::string_view> LmdbWriter::get(LmdbTable table, std::string_view key) {
  if (!txn_) return error(MDB_BAD_TXN);
  return get_in(txn_.get(), table, key);
}

LmdbResult<LmdbStats> LmdbWriter::stats(LmdbTable table) {
  if (!txn_) return error(MDB_BAD_TXN);
  return stats_in(txn_.get(), table);
}

LmdbStatus LmdbWriter::commit() {
  if (!txn_) return error(MDB_BAD_TXN);
  const int code = mdb_txn_commit(txn_.release());  // frees the transaction even on failure
  if (code == MDB_SUCCESS) return {};
  if (code == MDB_MAP_FULL) return error(code);  // detected before any write
  // LMDB reports its own fatal errors only when the next transaction begins.
  MDB_txn* probe = nullptr;
  const int fatal = mdb_txn_begin(env_, nullptr, MDB_RDONLY, &probe);
  if (probe != nullptr) mdb_txn_abort(probe);
  if (durable_ || fatal != MDB_SUCCESS) *poisoned_ = true;
  return error(code);
}

Result<LmdbEnvironment> LmdbEnvironment::open(const Options& options) {
  const auto refused = [&](int code) {
    return failure(
        fmt::format("cannot open the LMDB file {}: {}", options.path, mdb_strerror(code)));
  };
  auto state = std::make_unique<State>();
  state->durable = options.sync == Sync::kDurable;
  state->read_only = options.read_only;
  MDB_env* env = nullptr;
  if (const int code = mdb_env_create(&env); code != MDB_SUCCESS) return refused(code);
  state->env.reset(env);
  int code = mdb_env_set_mapsize(env, options.map_size);
  if (code == MDB_SUCCESS) code = mdb_env_set_maxreaders(env, options.max_readers);
  if (code == MDB_SUCCESS) code = mdb_env_set_maxdbs(env, options.max_tables);
  if (code == MDB_SUCCESS) {
    code = mdb_env_open(env, options.path.c_str(), open_flags(options), options.mode);
  }
  if (code != MDB_SUCCESS) return refused(code);
  TRY(check_file(*state, options));
  return LmdbEnvironment(std::move(state));
}

Status LmdbEnvironment::check_file(State& state, const Options& options) {
  MDB_envinfo info{};
  MDB_stat stat{};
  int fd = -1;
  struct stat file {};
  mdb_env_info(state.env.get(), &info);
  mdb_env_stat(state.env.get(), &stat);
  if (mdb_env_get_fd(state.env.get(), &fd) != MDB_SUCCESS || fstat(fd, &file) != 0) {
    return failure(fmt::format("cannot examine the LMDB file {}", options.path));
  }
  state.page_size = stat.ms_psize;
  const std::size_t needed = (info.me_last_pgno + 1) * state.page_size;
  // Opening raises the map size to what the header requires. A difference means a smaller option or
  // a damaged header.
  if (info.me_last_pgno >= SIZE_MAX / state.page_size || needed > options.map_size) {
    return failure(fmt::format(
        "the LMDB file {} is larger than the configured {} bytes: configure more, or remove it",
        options.path, options.map_size));
  }
  // The last pages may never have been written if a transaction allocated and freed them.
  if (static_cast<std::size_t>(file.st_size) < needed &&
      (options.read_only || ftruncate(fd, static_cast<off_t>(needed)) != 0)) {
    return failure(
        fmt::format("the LMDB file {} is truncated and cannot be extended", options.path));
  }
  state.map_size = options.map_size;
  state.file_size = std::max(static_cast<std::size_t>(file.st_size), needed);
  fcntl(fd, F_SETFD, FD_CLOEXEC);
  return {};
}

LmdbResult<LmdbTable> LmdbEnvironment::table(const std::string& name) {
  if (state_->poisoned) return error(MDB_PANIC);
  MDB_txn* txn = nullptr;
  int code = mdb_txn_begin(state_->env.get(), nullptr, state_->read_only ? MDB_RDONLY : 0U, &txn);
  if (code != MDB_SUCCESS) return error(code);
  const char* const named = name.empty() ? nullptr : name.c_str();
  LmdbTable table = 0;
  code = mdb_dbi_open(txn, named, named == nullptr || state_->read_only ? 0U : MDB_CREATE, &table);
  if (code != MDB_SUCCESS) {
    mdb_txn_abort(txn);
    return error(code);
  }
  code = mdb_txn_commit(txn);
  if (code != MDB_SUCCESS) return error(code);
  return table;
}

bool LmdbEnvironment::reserve(std::size_t headroom) {
  State& state = *state_;
  MDB_envinfo info{};
  mdb_env_info(state.env.get(), &info);
  const std::size_t needed =
      std::min((info.me_last_pgno + 1) * state.page_size + headroom, state.map_size);
  if (needed <= state.file_size) return true;
  // In chunks: a call per page would cost more than writing the page.
  const std::size_t wanted = std::min(needed + kReserveChunk, state.map_size);
  int fd = -1;
  mdb_env_get_fd(state.env.get(), &fd);
  for (const std::size_t size : {wanted, needed}) {
    if (fallocate(fd, 0, static_cast<off_t>(state.file_size),
                  static_cast<off_t>(size - state.file_size)) == 0) {
      state.file_size = size;
      return true;
    }
    if (errno == EOPNOTSUPP) return true;
  }
  return false;
}

std::size_t LmdbEnvironment::used() const {
  MDB_envinfo info{};
  mdb_env_info(state_->env.get(), &info);
  return (info.me_last_pgno + 1) * state_->page_size;
}

void LmdbEnvironment::trim() {
  int fd = -1;
  mdb_env_get_fd(state_->env.get(), &fd);
  const std::size_t needed = used();
  if (needed < state_->file_size && ftruncate(fd, static_cast<off_t>(needed)) == 0) {
    state_->file_size = needed;
  }
}

LmdbResult<LmdbReader> LmdbEnvironment::read() const {
  if (state_->poisoned) return error(MDB_PANIC);
  MDB_txn* txn = nullptr;
  const int code = mdb_txn_begin(state_->env.get(), nullptr, MDB_RDONLY, &txn);
  if (code != MDB_SUCCESS) return error(code);
  return LmdbReader(txn);
}

LmdbResult<LmdbWriter> LmdbEnvironment::write() {
  if (state_->poisoned) return error(MDB_PANIC);
  MDB_txn* txn = nullptr;
  const int code = mdb_txn_begin(state_->env.get(), nullptr, 0, &txn);
  if (code != MDB_SUCCESS) return error(code);
  return LmdbWriter(txn, state_->env.get(), state_->durable, &state_->poisoned);
}

}  // namespace claimsd::daemon
