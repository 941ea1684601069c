// map_reader.h: the smallest reader of the map that obeys SHM.md, to test the publisher with. Not
// the client's: a mistake in that must not hide one here. One thread each.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "daemon/base/clock.h"
#include "proto/sealing.h"

namespace claimsd::testing {

class MapReader {
 public:
  // A mapping of map_size() bytes, read-only or not, that outlives it.
  explicit MapReader(const void* map)
      : header_(static_cast<const proto::MapHeader*>(map)),
        slots_(reinterpret_cast<const proto::MapWord*>(static_cast<const char*>(map) +
                                                       proto::kMapHeaderSize)) {
    open_ = sealer_.open();
  }
  // The header and the slots, where these do not lie together.
  MapReader(const proto::MapHeader* header, const proto::MapWord* slots)
      : header_(header), slots_(slots) {
    open_ = sealer_.open();
  }

  // What a lookup that begins now finds; none: it would ask the daemon.
  std::optional<std::string> find(std::uint16_t upstream, std::string_view token,
                                  const daemon::Now& now);
  // The slot in which that lies; none: nowhere.
  std::optional<std::uint64_t> slot_of(std::uint16_t upstream, std::string_view token);
  // A copy that was not written meanwhile, of at most a few tries.
  std::optional<proto::SlotCopy> copy(std::uint64_t slot);

  const proto::MapHeader& header() const { return *header_; }
  std::uint64_t torn() const { return torn_; }

 private:
  bool is_believed(const proto::SlotCopy& slot, std::uint16_t upstream,
                   const daemon::Now& now) const;

  const proto::MapHeader* header_;
  const proto::MapWord* slots_;
  proto::Sealer sealer_;
  bool open_ = false;
  std::uint64_t torn_ = 0;  // copies that had to be thrown away
};

}  // namespace claimsd::testing
