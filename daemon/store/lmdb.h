// lmdb.h: LMDB 0.9.24 with owners: environment, read and write transactions, cursor. Knows nothing
// of what is stored.
//
// Holds what the library leaves to its users (lmdb.h of LMDB, "Caveats"):
//   - one environment a file and process; only the daemon opens it, since even a reader writes to
//   the lock file;
//   - a transaction is aborted after any failed operation but "not found", and unless commit()
//   succeeded;
//   - never MDB_WRITEMAP: a full disk would then be a SIGBUS instead of an error;
//   - never MDB_NOMEMINIT: it lets old heap memory out into the file;
//   - a file shorter than its own header says is made whole with zeros first: touching a page past
//   its end is a SIGBUS;
//   - after a failed commit to a durable environment, or one that LMDB itself calls fatal, the
//   environment is poisoned: the next
//     commit would report success whatever reached the disk. It refuses every new transaction;
//     close it, open it again and verify.
// What it cannot hold: a file whose pages were overwritten by somebody else can crash LMDB. Keep it
// in a directory of one's own.
//
// Everything here is move-only, lives on one thread, and must not outlive the environment. Bytes
// read are views into the map, good until the read transaction is reset or the write transaction
// changes anything. A fork()ed child may use none of it.
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

namespace claimsd::daemon {

// Why an operation did not work: LMDB's code or an errno.
class LmdbError {
 public:
  explicit LmdbError(int code) : code_(code) {}
  int code() const { return code_; }
  bool missing() const;   // no such key
  bool exists() const;    // kInsert or kAppend found the key, or a later one, there already
  bool map_full() const;  // of the environment's own size
  bool disk_full()
      const;  // of the file system, a quota or a limit; LMDB reports a short write as EIO
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
  std::size_t pages = 0;  // of the table's tree, overflow pages included; not the free ones
};

enum class LmdbPut : std::uint8_t {
  kReplace,
  kInsert,  // refuses a key that is there
  kAppend,  // the same, and refuses one that does not sort last
};

class LmdbCursor {
 public:
  struct Record {
    std::string_view key;
    std::string_view value;
  };

  // missing() at the end. seek() finds the first key that is not less.
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

// A snapshot, kept for reuse: reset() lets go of it, so that its pages can be used again, renew()
// takes the newest one.
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
  // The transaction is over, whatever comes of it.
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

  std::unique_ptr<MDB_txn, Abort> txn_;  // null once it is over
  MDB_env* env_;
  bool durable_;
  bool* poisoned_;
};

class LmdbEnvironment {
 public:
  enum class Sync : std::uint8_t {
    kDurable,  // a commit that returned survives a power failure
    kNone,  // the kernel writes when it likes: survives a crash of the process, not of the machine
  };
  struct Options {
    std::string path;  // the data file; its directory exists
    std::size_t map_size = 0;
    Sync sync = Sync::kDurable;
    // Nobody else opens the file, which the caller ensures, and no reader holds a snapshot while a
    // writer is at work: no lock file then, nor what a killed process leaves in one.
    bool exclusive = false;
    bool read_only = false;
    bool read_ahead = true;  // off where keys are random
    unsigned max_readers = 16;
    unsigned max_tables = 0;  // named ones
    mode_t mode = 0600;
  };

  static Result<LmdbEnvironment> open(const Options& options);

  // An empty name is the one table of an environment without names. Creates what is not there
  // unless opened read-only.
  LmdbResult<LmdbTable> table(const std::string& name = {});
  // The reader holds a snapshot at once.
  LmdbResult<LmdbReader> read() const;
  LmdbResult<LmdbWriter> write();

  // Has the file system set `headroom` bytes aside beyond the pages in use, so that the next
  // commits cannot run into a full disk: deleting needs new pages, too. False when it has no room.
  // Always true on one that cannot set aside (fallocate(2)).
  bool reserve(std::size_t headroom);

  // How much of the map was ever used, and the file cut to that: gives back what reserve() took.
  std::size_t used() const;
  void trim();

  std::size_t page_size() const { return state_->page_size; }
  bool poisoned() const { return state_->poisoned; }

 private:
  struct Close {
    void operator()(MDB_env* env) const;
  };
  struct State {  // its address stays when the environment is moved
    std::unique_ptr<MDB_env, Close> env;
    std::size_t page_size = 0;
    std::size_t map_size = 0;
    std::size_t file_size = 0;  // with what was set aside
    bool durable = true;
    bool read_only = false;
    bool poisoned = false;
  };
  explicit LmdbEnvironment(std::unique_ptr<State> state) : state_(std::move(state)) {}
  static Status check_file(State& state, const Options& options);

  std::unique_ptr<State> state_;
};

}  // namespace claimsd::daemon
