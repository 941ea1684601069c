// refusals.h: connections that the daemon rejected, by the option that rejected them. Owned by Server;
// loop thread.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "daemon/base/clock.h"
#include "proto/messages.h"

namespace claimsd::server {

struct Refusal {
  std::uint64_t count = 0;  // since the start
  std::uint32_t uid = 0;    // of the latest one
  BootTime last = BootTime::min();
};

struct RefusalRow {
  proto::FailureCode code;
  std::string_view option;  // in [daemon]
};

// Every reason for which Admission rejects a connection.
inline constexpr auto kRefusalRows = std::to_array<RefusalRow>({
    {proto::FailureCode::kNotAllowed, "allowed_uids"},
    {proto::FailureCode::kTooManyPeers, "max_connections"},
    {proto::FailureCode::kTooManyOfUid, "max_connections_per_uid"},
    {proto::FailureCode::kConnectsTooFast, "connects_per_uid"},
});

using Refusals = std::array<Refusal, kRefusalRows.size()>;

inline void count_refusal(Refusals& refusals, proto::FailureCode code, std::uint32_t uid,
                          BootTime now) {
  for (std::size_t at = 0; at < refusals.size(); ++at) {
    if (kRefusalRows[at].code == code)
      refusals[at] = {.count = refusals[at].count + 1, .uid = uid, .last = now};
  }
}

// Calls `visit(option, refusal)` for each row.
template <class Visit>
void each_refusal(const Refusals& refusals, Visit&& visit) {
  for (std::size_t at = 0; at < refusals.size(); ++at) visit(kRefusalRows[at].option, refusals[at]);
}

}  // namespace claimsd::server
