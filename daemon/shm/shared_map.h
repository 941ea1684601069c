// shared_map.h: the memory of the map of leases: writable in this process and read-only for every
// process that receives the descriptor. No other process can resize or write it, root included.
//
// Owns the mapping and a read-only descriptor to pass on (SCM_RIGHTS). Every step of its creation
// is needed:
//   1. memfd_create(2)
//   2. fallocate(2), so that no later write can fail
//   3. one writable mapping
//   4. seals against shrinking, growing, further writers and further seals (fcntl(2),
//      F_SEAL_FUTURE_WRITE)
//   5. mode 0400, so that no other user can reopen it through /proc
//   6. a read-only descriptor, opened through /proc/self/fd
// The map is excluded from core dumps. Created blank except for the header; slot contents are not
// interpreted here. Any thread.
#pragma once

#include <memory>

#include "daemon/base/fd.h"
#include "daemon/base/result.h"
#include "proto/shm_layout.h"

namespace claimsd::shm {

// A view of a map's words.
struct MapMemory {
  proto::MapHeader* header = nullptr;
  proto::MapWord* slots = nullptr;  // kSlotWords each

  proto::MapWord* slot(std::uint64_t at) const { return slots + at * proto::kSlotWords; }
};

class SharedMap {
 public:
  using BootId = std::array<std::uint8_t, 16>;

  // `slots` must satisfy is_valid_slot_count().
  static Result<SharedMap> create(std::uint64_t slots, const proto::MapId& map_id,
                                  const BootId& boot_id);

  MapMemory memory() const;
  // Read-only; remains owned by this object.
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

// Parses the format of /proc/sys/kernel/random/boot_id; zeros if malformed.
SharedMap::BootId parse_boot_id(std::string_view text);

}  // namespace claimsd::shm
