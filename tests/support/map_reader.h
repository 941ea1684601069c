// map_reader.h: the smallest map reader that follows SHM.md, for testing the publisher. Independent
// of the client's reader, so that a bug there cannot hide one here. One thread per reader.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "daemon/base/clock.h"
#include "proto/sealing.h"

namespace claimsd::testing {

class MapReader {
 public:
  // `map`: a mapping of map_size() bytes, read-only or not, that must outlive the reader.
  explicit MapReader(const void* map)
      : header_(static_cast<const proto::MapHeader*>(map)),
        slots_(reinterpret_cast<const proto::MapWord*>(static_cast<const char*>(map) +
                                                       proto::kMapHeaderSize)) {
    open_ = sealer_.open();
  }
  // For a header and slots that are not contiguous.
  MapReader(const proto::MapHeader* header, const proto::MapWord* slots)
      : header_(header), slots_(slots) {
    open_ = sealer_.open();
  }

  // What a lookup finds now; nothing: it would query the daemon.
  std::optional<std::string> find(std::uint16_t upstream, std::string_view token, const Now& now);
  // The slot that holds the token, if any.
  std::optional<std::uint64_t> slot_of(std::uint16_t upstream, std::string_view token);
  // A consistent copy of the slot, in a bounded number of attempts.
  std::optional<proto::SlotCopy> copy(std::uint64_t slot);

  const proto::MapHeader& header() const { return *header_; }
  std::uint64_t torn() const { return torn_; }

 private:
  bool is_believed(const proto::SlotCopy& slot, std::uint16_t upstream, const Now& now) const;

  const proto::MapHeader* header_;
  const proto::MapWord* slots_;
  proto::Sealer sealer_;
  bool open_ = false;
  std::uint64_t torn_ = 0;  // copies discarded because of a concurrent write
};

}  // namespace claimsd::testing
