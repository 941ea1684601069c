// tls_identity.h: a certificate for 127.0.0.1, valid for a day, that trusts itself. Single-threaded.
#pragma once

#include <openssl/ssl.h>

#include <memory>
#include <string>

#include "daemon/base/result.h"

namespace claimsd::bench {

struct FreeSsl {
  void operator()(SSL_CTX* context) const { ::SSL_CTX_free(context); }
  void operator()(SSL* connection) const { ::SSL_free(connection); }
};

struct TlsIdentity {
  std::unique_ptr<SSL_CTX, FreeSsl> context;  // for a server
  std::string pem;                            // the certificate, to be trusted by its clients

  static Result<TlsIdentity> make();
};

}  // namespace claimsd::bench
