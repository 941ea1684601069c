// tls_credentials.h: the CA certificates and the client certificate for connections to one server,
// parsed and checked once, used for every handshake. Immutable and shared; any thread.
//
// libcurl would read files repeatedly, and would parse a blob at each handshake (40 ms for a
// system's CA bundle). So it gets neither: OpenSSL objects are placed in its SSL_CTX
// (CURLOPT_SSL_CTX_FUNCTION(3)).
#pragma once

#include <openssl/ssl.h>

#include <memory>
#include <optional>
#include <string>

#include "daemon/base/clock.h"
#include "daemon/base/result.h"
#include "daemon/base/secret.h"
#include "daemon/crypto/openssl_ptr.h"

namespace claimsd::crypto {

// File contents in PEM. Empty: no such file.
struct CredentialTexts {
  Secret authorities;
  Secret certificate;  // with its chain
  Secret key;          // without a passphrase
};

// The option whose file is unusable, and why.
struct CredentialError {
  const char* option = "";
  std::string why;
};

// When a certificate expires; WallTime::max() if that cannot be read.
WallTime expiry_of(const X509* certificate);

class TlsCredentials {
 public:
  // Rejects incomplete input: empty, truncated, or a key that does not match the certificate.
  static tl::expected<std::shared_ptr<const TlsCredentials>, CredentialError> parse(
      const CredentialTexts& texts);

  // False: OpenSSL rejected it. Empty parts leave the context unchanged.
  bool install(SSL_CTX* context) const;

  bool has_authorities() const { return authorities_ != nullptr; }
  // Expiry of the client certificate; none: there is none.
  std::optional<WallTime> certificate_end() const { return certificate_end_; }

 private:
  struct FreeStack {
    void operator()(STACK_OF(X509) * stack) const { sk_X509_pop_free(stack, X509_free); }
  };

  TlsCredentials() = default;
  std::optional<CredentialError> take_authorities(const Secret& text);
  std::optional<CredentialError> take_certificate(const Secret& text);
  std::optional<CredentialError> take_key(const Secret& text);

  std::unique_ptr<X509_STORE, OpensslFree<X509_STORE_free>> authorities_;
  std::unique_ptr<X509, OpensslFree<X509_free>> certificate_;
  std::unique_ptr<STACK_OF(X509), FreeStack> chain_;  // intermediate certificates
  EvpPkeyPtr key_;
  std::optional<WallTime> certificate_end_;
};

}  // namespace claimsd::crypto
