// credentials.h: reads the files with the password and the certificates for Redis. They are read for
// each connection, so a replaced file takes effect with the next one. Blocks on the disk.
#pragma once

#include <memory>

#include "daemon/base/secret.h"
#include "daemon/crypto/tls_credentials.h"
#include "daemon/redis/settings.h"

namespace claimsd::redis {

struct Credentials {
  Secret password;  // empty: none
  std::shared_ptr<const crypto::TlsCredentials> tls;
};

// The error names the option, the file and the reason.
Result<Credentials> read_credentials(const Settings& settings);

}  // namespace claimsd::redis
