// set_head.h: detects that the stored set of actions and withdrawals is older than it was.
//
// Each transaction on the set increases its sequence. The head, sequence and digest, is repeated
// outside the set (daemon/store/head_copy.h, daemon/audit/FORMAT.md). The set is committed first, so
// it may be ahead of a copy, but never behind one. Pure; any thread.
#pragma once

#include <array>
#include <cstdint>
#include <span>

namespace claimsd::claims {

struct SetHead {
  std::uint64_t sequence = 0;             // number of transactions; 0: there was none
  std::array<std::uint8_t, 32> digest{};  // of the sequence and the set, under the set's key
  bool operator==(const SetHead&) const = default;
};

// The newest copy, if it shows that the set is not the one that was last written: the set has fewer
// transactions than the copy, or is another one with as many. Null if the set may be used.
const SetHead* refusing_copy(const SetHead& set, std::span<const SetHead> copies);

}  // namespace claimsd::claims
