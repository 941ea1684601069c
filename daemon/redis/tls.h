// tls.h: a TLS session on a socket that does not block. Owned by a Stream; one thread.
//
// The server must present a certificate for the host name or address of the endpoint. TLS 1.2 at
// least.
#pragma once

#include <openssl/ssl.h>

#include <memory>
#include <span>
#include <string>

#include "daemon/crypto/tls_credentials.h"

namespace claimsd::redis {

class TlsSession {
 public:
  static Result<TlsSession> create(int fd, const std::string& host,
                                   const crypto::TlsCredentials& credentials);

  // What an operation came to: `done` bytes, or `wanted` (POLLIN or POLLOUT) to try again.
  struct Step {
    std::size_t done = 0;
    short wanted = 0;
  };
  Result<Step> shake_hands();
  Result<Step> read(std::span<char> into);
  Result<Step> write(std::string_view bytes);

 private:
  Result<Step> judge(int result, std::size_t done);

  std::unique_ptr<SSL_CTX, crypto::OpensslFree<SSL_CTX_free>> context_;
  std::unique_ptr<SSL, crypto::OpensslFree<SSL_free>> session_;
};

}  // namespace claimsd::redis
