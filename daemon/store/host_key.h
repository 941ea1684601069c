// host_key.h: the one secret of this host that is kept on disk: 32 random bytes, from which all
// keys of the store are derived.
//
// Kept apart from what it protects. Any thread; blocks on the file system: at start only.
#pragma once

#include <string>

#include "daemon/base/random.h"
#include "daemon/base/result.h"
#include "daemon/base/secret.h"
#include "daemon/store/file_rules.h"

namespace claimsd::daemon {

// Refuses a file that is a symbolic link, not regular, of another size, somebody else's, or open to
// group or others.
Result<Secret> load_host_key(const std::string& path, HostKeySource source, Random& random);

}  // namespace claimsd::daemon
