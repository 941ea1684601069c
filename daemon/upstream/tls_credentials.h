// tls_credentials.h: whom an Auth API's connections trust, and who they say they are: authorities
// and a client certificate, parsed and checked once, used for every handshake.
//
// libcurl would read the files again and again, and parse what it is given as a blob at each
// handshake (40 ms for a whole system's authorities). So it gets neither: OpenSSL's own objects are
// put into its SSL_CTX (CURLOPT_SSL_CTX_FUNCTION(3)). Immutable and shared; any thread.
#pragma once

#include <openssl/ssl.h>

#include <memory>
#include <optional>
#include <string>

#include "daemon/base/clock.h"
#include "daemon/base/result.h"
#include "daemon/base/secret.h"
#include "daemon/crypto/openssl_ptr.h"

namespace claimsd::daemon {

// What the files hold, in PEM. Empty: there is no such file.
struct CredentialTexts {
  Secret authorities;
  Secret certificate;  // and those that vouch for it
  Secret key;          // without a passphrase
};

// The option whose file is wrong, and why.
struct CredentialError {
  const char* option = "";
  std::string why;
};

class TlsCredentials {
 public:
  // Refuses what is not whole: nothing in it, cut off, a key that is not the certificate's.
  static tl::expected<std::shared_ptr<const TlsCredentials>, CredentialError> parse(
      const CredentialTexts& texts);

  // False: OpenSSL would not have it. What is empty leaves the context as it is.
  bool install(SSL_CTX* context) const;

  bool has_authorities() const { return authorities_ != nullptr; }
  // When the client certificate ends; none: there is none.
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
  std::unique_ptr<STACK_OF(X509), FreeStack> chain_;  // who vouches for it
  EvpPkeyPtr key_;
  std::optional<WallTime> certificate_end_;
};

}  // namespace claimsd::daemon
