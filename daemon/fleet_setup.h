// fleet_setup.h: what a start needs from the disk to be a member of a fleet: keys and the identity
// of this host. Refuses to start if stored revocations of a fleet could not be applied: without
// [fleet], or with another name or fingerprint key, their fingerprints would match no token, and
// revoked tokens would be valid again.
//
// Also translates [fleet] into the settings of the replica and of the bus. Part of the composition
// root; blocks on the disk; loop thread, before the loop runs.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "daemon/base/secret.h"
#include "daemon/config/config.h"
#include "daemon/fleet/host_file.h"
#include "daemon/fleet_member.h"
#include "daemon/log/log.h"
#include "daemon/store/hmac_fingerprinter.h"
#include "daemon/store/revocation_file.h"

namespace claimsd::daemon {

struct FleetKeys {
  std::vector<Secret> seal;  // newest first
  Secret fingerprint;
};

// The error names the option, the file and what to do.
Result<FleetKeys> read_fleet_keys(const config::FleetConfig& fleet);

struct FleetSetup {
  const config::Config& config;
  std::string accepted_digest;  // --accept-revocations: what the refused start printed
};

// The revocations that were stored. Those of a fleet that this host has left are removed from the
// file and from these lists if the operator accepted that.
struct StoredRevocations {
  store::RevocationFile& file;
  std::vector<claims::Rule>& rules;
  std::vector<claims::Withdrawal>& withdrawals;
};

struct OpenedFleet {
  std::vector<Secret> seal_keys;
  store::HmacFingerprinter fingerprinter;
  fleet::HostIdentity identity;
};

// None without [fleet]. `accepted`: what to record if revocations were dropped, else unchanged.
Result<std::optional<OpenedFleet>> open_fleet(const FleetSetup& setup, StoredRevocations stored,
                                              std::string& accepted, Random& random, Log& log);

// The file with this host's identity, beside the revocations.
std::string host_file_of(const config::Config& config);

// The URLs were checked with the configuration.
redis::Settings redis_settings_from(const config::FleetConfig& fleet);
// Takes the keys from `opened`.
FleetMember::Options member_options_from(const config::Config& config, OpenedFleet& opened);

}  // namespace claimsd::daemon
