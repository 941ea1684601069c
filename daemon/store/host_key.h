// host_key.h: the only secret of this host on disk: 32 random bytes from which all keys of the
// store are derived.
//
// Stored apart from the data it protects. Any thread; blocks on the file system: at startup only.
#pragma once

#include <string>

#include "daemon/base/random.h"
#include "daemon/base/result.h"
#include "daemon/base/secret.h"
#include "daemon/store/file_rules.h"

namespace claimsd::store {

// Rejects a file that is a symbolic link, is not regular, has the wrong size, belongs to another
// user, or is accessible to group or others.
Result<Secret> load_host_key(const std::string& path, HostKeySource source, Random& random);

}  // namespace claimsd::store
