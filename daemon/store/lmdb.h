// lmdb.h: move-only wrappers of LMDB 0.9.24: environment, read and write transactions, cursor. They
// do not interpret what is stored.
//
// Rules of LMDB that are enforced here (LMDB's lmdb.h, "Caveats"):
//   - One environment per file and process. Only the daemon opens it, because even a reader writes
//     to the lock file.
//   - A transaction is aborted after any failed operation except "not found", and unless commit()
//     succeeded.
//   - MDB_WRITEMAP is never used: a full disk would be a SIGBUS instead of an error.
//   - MDB_NOMEMINIT is never used: it writes old heap memory to the file.
//   - A file shorter than its header claims is first extended with zeros: touching a page past its
//     end is a SIGBUS.
//   - After a failed commit to a durable environment, or an error that LMDB calls fatal, the
//     environment is poisoned, because the next commit would report success regardless of what
//     reached the disk. It rejects every new transaction: close it, open it again and verify.
// Not enforced: a file whose pages another program overwrote can crash LMDB. Keep it in a private
// directory.
//
// One thread. No object may outlive its environment. Values read are views into the map, valid
// until the read transaction is reset or the write transaction changes anything. Do not use any of
// this in a fork()ed child.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <tl/expected.hpp>

#include "daemon/base/result.h"

struct MDB_cursor;
struct MDB_env;
struct MDB_txn;

namespace claimsd::store {

// Why an operation failed: a code of LMDB or an errno.
class LmdbError {
 public:
  explicit LmdbError(int code) : code_(code) {}
  int code() const { return code_; }
  bool missing() const;    // no such key
  bool exists() const;     // kInsert or kAppend: the key, or a later one, exists
  bool map_full() const;   // the environment's own size limit
  bool disk_full() const;  // file system, quota or limit; also EIO, LMDB's short write
  bool poisoned() const;
  std::string text() const;

 private:
  int code_;
};

template <class T>
using LmdbResult = tl::expected<T, LmdbError>;
using LmdbStatus = LmdbResult<void>;

using LmdbTable = unsigned int;  // MDB_dbi

struct LmdbStats {
  std::size_t entries = 0;
  std::size_t pages = 0;  // of the table's B-tree, with overflow pages, without free pages
};

enum class LmdbPut : std::uint8_t {
  kReplace,
  kInsert,  // fails if the key exists
  kAppend,  // the same, and fails unless the key sorts last
};

class LmdbCursor {
 public:
  struct Record {
    std::string_view key;
    std::string_view value;
  };

  // missing() at the end. seek() finds the first key that is not less than `key`.
  LmdbResult<Record> first();
  LmdbResult<Record> next();
  LmdbResult<Record> previous();
  LmdbResult<Record> last();
  LmdbResult<Record> seek(std::string_view key);

 private:
  friend class LmdbReader;
  struct Close {
    void operator()(MDB_cursor* cursor) const;
  };
  explicit LmdbCursor(MDB_cursor* cursor) : cursor_(cursor) {}
  LmdbResult<Record> move(int operation, std::string_view key);

  std::unique_ptr<MDB_cursor, Close> cursor_;
};

// A snapshot that can be reused: reset() releases it, so that its pages can be recycled; renew()
// takes the newest snapshot.
class LmdbReader {
 public:
  void reset();
  LmdbStatus renew();
  LmdbResult<std::string_view> get(LmdbTable table, std::string_view key) const;
  LmdbResult<LmdbStats> stats(LmdbTable table) const;
  LmdbResult<LmdbCursor> cursor(LmdbTable table) const;

 private:
  friend class LmdbEnvironment;
  struct Abort {
    void operator()(MDB_txn* txn) const;
  };
  explicit LmdbReader(MDB_txn* txn) : txn_(txn) {}

  std::unique_ptr<MDB_txn, Abort> txn_;
};

class LmdbWriter {
 public:
  LmdbStatus put(LmdbTable table, std::string_view key, std::string_view value,
                 LmdbPut how = LmdbPut::kReplace);
  LmdbStatus erase(LmdbTable table, std::string_view key);
  LmdbResult<std::string_view> get(LmdbTable table, std::string_view key);
  LmdbResult<LmdbStats> stats(LmdbTable table);
  // Ends the transaction, even if it fails.
  LmdbStatus commit();
  void abort() { txn_.reset(); }

 private:
  friend class LmdbEnvironment;
  struct Abort {
    void operator()(MDB_txn* txn) const;
  };
  LmdbWriter(MDB_txn* txn, MDB_env* env, bool durable, bool* poisoned)
      : txn_(txn), env_(env), durable_(durable), poisoned_(poisoned) {}
  LmdbStatus finished(int code);

  std::unique_ptr<MDB_txn, Abort> txn_;  // null once it has ended
  MDB_env* env_;
  bool durable_;
  bool* poisoned_;
};

class LmdbEnvironment {
 public:
  enum class Sync : std::uint8_t {
    kDurable,  // a completed commit survives a power failure
    kNone,     // written back by the kernel: survives a process crash only
  };
  struct Options {
    std::string path;  // the data file; its directory must exist
    std::size_t map_size = 0;
    Sync sync = Sync::kDurable;
    // The caller ensures that no other process opens the file and that no reader holds a snapshot
    // during a write. Then no lock file is used, and a killed process leaves no stale reader in
    // one.
    bool exclusive = false;
    bool read_only = false;
    bool read_ahead = true;  // disable if keys are random
    unsigned max_readers = 16;
    unsigned max_tables = 0;  // named tables
    mode_t mode = 0600;
  };

  static Result<LmdbEnvironment> open(const Options& options);

  // An empty name selects the main table of an environment without named ones. Creates a missing
  // table unless read-only.
  LmdbResult<LmdbTable> table(const std::string& name = {});
  // The reader holds a snapshot from the start.
  LmdbResult<LmdbReader> read() const;
  LmdbResult<LmdbWriter> write();

  // Preallocates `headroom` bytes beyond the pages in use, so that the next commits cannot run out
  // of disk space; deleting needs new pages too. False if there is no space. Always true if the
  // file system cannot preallocate (fallocate(2)).
  bool reserve(std::size_t headroom);

  // used(): bytes of the map ever used. trim(): truncates the file to that, releasing what
  // reserve() took.
  std::size_t used() const;
  void trim();

  std::size_t page_size() const { return state_->page_size; }
  bool poisoned() const { return state_->poisoned; }

 private:
  struct Close {
    void operator()(MDB_env* env) const;
  };
  struct State {  // keeps its address when the environment is moved
    std::unique_ptr<MDB_env, Close> env;
    std::size_t page_size = 0;
    std::size_t map_size = 0;
    std::size_t file_size = 0;  // including preallocated space
    bool durable = true;
    bool read_only = false;
    bool poisoned = false;
  };
  explicit LmdbEnvironment(std::unique_ptr<State> state) : state_(std::move(state)) {}
  static Status check_file(State& state, const Options& options);

  std::unique_ptr<State> state_;
};

}  // namespace claimsd::store
