// revocation_setup.h: opens the revocations at startup, and refuses a set that is older than it was.
//
// The head of the set is repeated in two places: in the audit log, and in a file beside the host key
// (beside the directory of the revocations if the host key is a credential). Either is enough to
// refuse. A copy that cannot be read is logged and does not refuse. Blocks on the disk; loop thread,
// before the loop runs.
#pragma once

#include <memory>
#include <string>

#include "daemon/base/random.h"
#include "daemon/config/config.h"
#include "daemon/log/log.h"
#include "daemon/store/hmac_fingerprinter.h"
#include "daemon/store/host_key.h"
#include "daemon/store/revocation_file.h"

namespace claimsd::daemon {

struct RevocationSetup {
  const config::Config& config;
  std::string boot_id;
  store::HostKeySource host_key_source = store::HostKeySource::kFile;
  std::string accepted_digest;  // --accept-revocations: what the refusal of an older set printed
};

struct OpenedRevocations {
  store::HmacFingerprinter fingerprinter;
  std::unique_ptr<store::RevocationFile> file;
  std::string accepted;  // what to record if an older set was accepted; "": none was
};

// The file for the copy of the head.
std::string revocation_copy_path(const config::Config& config, store::HostKeySource source);

Result<OpenedRevocations> open_revocations(const RevocationSetup& setup, Random& random,
                                           const Now& now, Log& log);

}  // namespace claimsd::daemon
