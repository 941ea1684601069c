// shared_map.h: the daemon's map of leases in this process. A Welcome brings a map, the map of a
// new daemon replaces it, and any thread reads it without a lock.
//
// One mmap(2) puts a new map at the address of the previous one. So there is at most one map, and a
// valid address stays readable until the handle is closed. Readers hold nothing: they compare the
// generation before and after, and discard what they read if it changed. (The kernel flushes the
// old translation on every core before mmap returns, so a reader of the new map sees the odd
// generation.) A larger map gets a new place; the old place then holds zeros, which no reader
// accepts.
//
// welcome() runs on the thread that made the handshake. It closes the descriptor after mapping, so
// that the application cannot close it by mistake.
#pragma once

#include <atomic>

#include "client/src/map_state.h"
#include "client/src/mutex.h"
#include "client/src/owned_fd.h"
#include "proto/messages.h"
#include "proto/shm_layout.h"

namespace claimsd::client {

// A snapshot of the map's address and identity.
struct MapView {
  std::uint64_t generation = 0;
  const proto::MapHeader* header = nullptr;
  const proto::MapWord* slots = nullptr;
  std::uint64_t slot_count = 0;
  proto::MapId id{};
  std::uint16_t upstream = 0;

  // `number` below slot_count.
  const proto::MapWord* slot(std::uint64_t number) const {
    return slots + number * proto::kSlotWords;
  }
};

class SharedMap {
 public:
  SharedMap() = default;
  SharedMap(const SharedMap&) = delete;
  SharedMap& operator=(const SharedMap&) = delete;
  ~SharedMap();

  // Takes the map of a Welcome, if any. Never fails: without a map, queries use the socket.
  void welcome(const proto::Welcome& welcome, OwnedFd map);

  // False if there is no map or it is being replaced.
  bool look(MapView& view) const {
    view.generation = generation_.load(std::memory_order_acquire);
    if ((view.generation & 1) != 0) return false;
    const char* const base = base_.load(std::memory_order_acquire);
    view.slot_count = slot_count_.load(std::memory_order_acquire);
    view.upstream = upstream_.load(std::memory_order_acquire);
    const std::uint64_t id[2] = {id_[0].load(std::memory_order_acquire),
                                 id_[1].load(std::memory_order_acquire)};
    static_assert(sizeof id == sizeof view.id);
    std::memcpy(view.id.data(), id, sizeof id);
    view.header = reinterpret_cast<const proto::MapHeader*>(base);
    view.slots = reinterpret_cast<const proto::MapWord*>(base + proto::kMapHeaderSize);
    return still(view.generation);
  }

  // Whether everything read since look() was read from the map that it saw. Loads before this one
  // must be acquiring.
  bool still(std::uint64_t generation) const {
    return generation_.load(std::memory_order_acquire) == generation;
  }

  MapState state() const { return state_.load(std::memory_order_relaxed); }
  // No map, because this process was short of descriptors or memory when one came.
  bool was_missed() const {
    return state() == MapState::kNoDescriptor || state() == MapState::kNoMemory;
  }
  // No map until a Welcome brings one. Nothing that was read from it is believed from now on.
  void forget();
  std::uint64_t slot_count() const { return slot_count_.load(std::memory_order_relaxed); }
  // Ever taken in.
  std::uint64_t taken() const { return taken_.load(std::memory_order_relaxed); }

  // In a forked child: the map stays, unless another thread of the parent was just replacing it.
  void abandon();

 private:
  // The validated properties of a received map.
  struct Candidate {
    proto::MapId id;
    std::uint64_t slot_count = 0;
    std::uint64_t heartbeat = 0;
    std::uint16_t upstream = 0;
  };

  static MapState check(const proto::Welcome& welcome, const OwnedFd& map, Candidate& found);
  bool is_current(const Candidate& candidate) const;
  MapState take_in(const Candidate& candidate, const OwnedFd& map);
  char* place(std::size_t size, const OwnedFd& map);
  void drop();

  // Read by every lookup, written at a restart of the daemon.
  alignas(64) std::atomic<std::uint64_t> generation_{1};  // odd: no map to look at
  std::atomic<const char*> base_{nullptr};
  std::atomic<std::uint64_t> slot_count_{0};
  std::atomic<std::uint64_t> id_[2]{};
  std::atomic<std::uint16_t> upstream_{0};
  std::atomic<MapState> state_{MapState::kNotAsked};

  alignas(64) Mutex mutex_;  // one at a time takes a map in; guards what follows
  std::atomic<std::uint64_t> taken_{0};
  struct Place {
    char* at;
    std::size_t size;
  };
  // Each is at least twice as large as the one before it; the last is in use.
  static constexpr std::size_t kMaxPlaces = 16;
  Place places_[kMaxPlaces]{};
  std::size_t place_count_ = 0;
};

}  // namespace claimsd::client
