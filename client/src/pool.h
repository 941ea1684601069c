// pool.h: a handle's connections: a fixed set of slots, most recently used first, so that few stay
// warm.
//
// Any thread takes a slot, connected or not, has it to itself, and gives it back. When all are
// taken it waits in a queue: a slot that is given back is handed to the thread that has waited
// longest, and no other thread can take it first. Where the daemon accepts no more connections, the
// threads share those that there are. In a forked child abandon() closes every inherited socket,
// including those that other threads of the parent were using.
#pragma once

#include "client/src/connection.h"
#include "client/src/mutex.h"

namespace claimsd::client_impl {

inline constexpr std::uint32_t kDefaultConnections = 64;
inline constexpr std::uint32_t kMaxConnections = 1024;
// How long a daemon that accepts no more connections is not asked for another.
inline constexpr std::int64_t kConnectionLimitNs = kNanosPerSecond;

class Pool {
 public:
  Pool() = default;
  Pool(const Pool&) = delete;
  Pool& operator=(const Pool&) = delete;
  ~Pool();

  // False when there is no memory.
  bool create(std::uint32_t connections);

  // A slot, connected if there is one. Null when none came free before the deadline. Not with
  // cancellation enabled: a canceled thread would stay in the queue.
  Connection* take(Deadline deadline);
  void give_back(Connection* connection);

  // For a slot that got no connection because the daemon accepts no more: waits for one of the
  // slots that other threads have. Null, with `connection` given back, when none came in time;
  // `connection` itself when no other thread has one, so that there is nothing to wait for.
  Connection* exchange(Connection* connection, Deadline deadline);

  // In a forked child, before anything else: nothing is written to the parent's sockets.
  void abandon();

 private:
  // A thread that waits; on its own stack.
  struct Waiter {
    Waiter* next = nullptr;
    Connection* given = nullptr;
    Condition changed;
  };

  Connection* take_locked(Deadline deadline);
  std::uint32_t limit();
  void put(Connection* connection);
  void enqueue(Waiter* waiter);
  void remove(Waiter* waiter);

  Mutex mutex_;
  Connection* slots_ = nullptr;  // all of them
  Connection** free_ = nullptr;  // those not taken: unconnected ones below, connected ones above
  std::uint32_t count_ = 0;
  std::uint32_t free_count_ = 0;
  std::uint32_t limit_ = 0;  // slots that may be taken at once
  std::int64_t limited_until_ns_ = 0;
  Waiter* first_ = nullptr;  // in the order of their arrival
};

// One taken slot, given back at the end of the scope. `get()` is null when the pool had none in
// time.
class Lease {
 public:
  Lease(Pool& pool, Deadline deadline) : pool_(pool), connection_(pool.take(deadline)) {}
  Lease(const Lease&) = delete;
  Lease& operator=(const Lease&) = delete;
  ~Lease() {
    if (connection_ != nullptr) pool_.give_back(connection_);
  }

  Connection* get() const { return connection_; }

  // False when there is no other connection, or none came in time, and get() is null then.
  bool exchange(Deadline deadline) {
    Connection* const before = connection_;
    connection_ = pool_.exchange(before, deadline);
    return connection_ != nullptr && connection_ != before;
  }

 private:
  Pool& pool_;
  Connection* connection_;
};

}  // namespace claimsd::client_impl
