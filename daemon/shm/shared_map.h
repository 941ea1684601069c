// shared_map.h: the memory of the map of leases: writable here, readable by whoever is handed its
// descriptor, and neither resizable nor writable by anybody else, root included.
//
// Owns the mapping and one read-only descriptor to pass on (SCM_RIGHTS). Made by a recipe in which
// each step is needed: memfd_create(2); fallocate(2), so that no later write can fail; one writable
// mapping; seals against shrinking, growing, further writers and further seals (fcntl(2),
// F_SEAL_FUTURE_WRITE); mode 0400, so that nobody else can open it again through /proc; a read-only
// descriptor by way of /proc/self/fd. Kept out of core dumps. Knows the header, not the slots'
// contents. Any thread; created blank but for the header.
#pragma once

#include <memory>

#include "daemon/base/fd.h"
#include "daemon/base/result.h"
#include "proto/shm_layout.h"

namespace claimsd::daemon {

// The words of a map, wherever they lie.
struct MapMemory {
  proto::MapHeader* header = nullptr;
  proto::MapWord* slots = nullptr;  // kSlotWords each

  proto::MapWord* slot(std::uint64_t at) const { return slots + at * proto::kSlotWords; }
};

class SharedMap {
 public:
  using BootId = std::array<std::uint8_t, 16>;

  // `slots`: is_valid_slot_count().
  static Result<SharedMap> create(std::uint64_t slots, const proto::MapId& map_id,
                                  const BootId& boot_id);

  MapMemory memory() const;
  // Read-only; stays ours.
  int descriptor() const { return descriptor_.get(); }

 private:
  struct Unmap {
    std::size_t size = 0;
    void operator()(void* at) const;
  };
  using Mapping = std::unique_ptr<void, Unmap>;

  SharedMap(Mapping mapping, Fd descriptor)
      : mapping_(std::move(mapping)), descriptor_(std::move(descriptor)) {}
  static Result<Mapping> map(int fd, std::size_t size);

  Mapping mapping_;
  Fd descriptor_;
};

// A boot id as /proc/sys/kernel/random/boot_id has it, to bytes; zeros for what is none.
SharedMap::BootId parse_boot_id(std::string_view text);

}  // namespace claimsd::daemon
