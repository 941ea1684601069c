// host_key.h: the one secret of this host that is kept on disk: 32 random bytes, from which all
// keys of the store are derived.
//
// Kept apart from what it protects. Any thread; blocks on the file system: at start only.
#pragma once

#include <cstdint>
#include <string>

#include "daemon/base/random.h"
#include "daemon/base/result.h"
#include "daemon/base/secret.h"

namespace claimsd::daemon {

inline constexpr std::size_t kHostKeySize = 32;

enum class HostKeySource : std::uint8_t {
  // Made with mode 0400 where it is missing, so that it is there whole or not at all, also after a
  // crash.
  kFile,
  // A systemd credential (systemd.exec(5), LoadCredential=): never made here. May be root's and
  // readable by group, which is how the
  // mask of the access list that systemd 252 grants the service with shows in the mode.
  kCredential,
};

// Refuses a file that is a symbolic link, not regular, of another size, somebody else's, or open to
// group or others.
Result<Secret> load_host_key(const std::string& path, HostKeySource source, Random& random);

}  // namespace claimsd::daemon
