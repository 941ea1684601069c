// host_file.h: this host's identity in its fleet, on disk: a random id, the fleet that it belongs
// to, and when it was last current. A copy of the file on another host makes two hosts share an id,
// which the fleet reports.
//
// Text, replaced as a whole (mode 0600). Blocks on the disk; one thread at a time.
#pragma once

#include <optional>
#include <string>

#include "daemon/base/random.h"
#include "daemon/base/result.h"
#include "daemon/base/secret.h"
#include "daemon/claims/revocation/rule.h"

namespace claimsd::fleet {

// Identifies a fleet by its name and its fingerprint key, without revealing the key.
struct FleetMark {
  std::array<std::uint8_t, 16> bytes{};
  bool operator==(const FleetMark&) const = default;
};
Result<FleetMark> fleet_mark(const std::string& fleet, const Secret& fingerprint_key);

struct HostIdentity {
  claims::HostId id;
  FleetMark fleet;
  std::optional<WallTime> was_current_at;  // nullopt: never
};

// Nothing if there is no file. An error if it is unreadable: a new id would make the fleet count
// this host twice.
Result<std::optional<HostIdentity>> load_host_identity(const std::string& path);
HostIdentity make_host_identity(const FleetMark& fleet, Random& random);
// Durable when it returns.
Status save_host_identity(const std::string& path, const HostIdentity& identity);

}  // namespace claimsd::fleet
