// shared_map.h: the daemon's map of leases in this process' memory: taken in when a Welcome brings
// it, replaced when another daemon's brings another, looked at by any thread without a lock.
//
// A map is put in its predecessor's place, at the same address, by one mmap(2). So there is never
// more than one; an address once valid stays readable until the handle is closed; and readers need
// to hold nothing: they look at the generation before and after, and believe nothing if it moved.
// (The kernel flushes the old translation from every core before mmap returns, so whoever has read
// a byte of the new map sees the odd generation.) Where the new map is larger it gets a new place,
// and zeros, which no reader believes, stay in the old one.
//
// welcome() is called by whoever shook hands, on any thread. The descriptor is closed as soon as it
// is mapped: what this process does not hold, nobody can close under it.
#pragma once

#include <atomic>

#include "client/src/map_state.h"
#include "client/src/mutex.h"
#include "client/src/owned_fd.h"
#include "proto/messages.h"
#include "proto/shm_layout.h"

namespace claimsd::client_impl {

// One look at the map: where it lies and which it is.
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

  // What a Welcome says and brought. Nothing of it is an error: without a map, the socket answers.
  void welcome(const proto::Welcome& welcome, OwnedFd map);

  // False when there is none, or it is just being replaced.
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
  // What has been checked of a map that came.
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

}  // namespace claimsd::client_impl
