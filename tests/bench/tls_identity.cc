#include "tests/bench/tls_identity.h"

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

namespace claimsd::bench {
namespace {

struct Free {
  void operator()(EVP_PKEY* key) const { ::EVP_PKEY_free(key); }
  void operator()(X509* certificate) const { ::X509_free(certificate); }
  void operator()(X509_EXTENSION* extension) const { ::X509_EXTENSION_free(extension); }
  void operator()(BIO* bio) const { ::BIO_free(bio); }
};
template <class T>
using Owned = std::unique_ptr<T, Free>;

bool add(X509* certificate, int which, const char* value) {
  X509V3_CTX context;
  X509V3_set_ctx(&context, certificate, certificate, nullptr, nullptr, 0);
  const Owned<X509_EXTENSION> made(::X509V3_EXT_conf_nid(nullptr, &context, which, value));
  return made && ::X509_add_ext(certificate, made.get(), -1) == 1;
}

bool fill(X509* certificate, EVP_PKEY* key) {
  constexpr long kDay = 86'400;
  X509_NAME* const name = ::X509_get_subject_name(certificate);
  const auto* const common = reinterpret_cast<const unsigned char*>("127.0.0.1");
  return ::X509_set_version(certificate, X509_VERSION_3) == 1 &&
         ::ASN1_INTEGER_set(::X509_get_serialNumber(certificate), 1) == 1 &&
         ::X509_gmtime_adj(::X509_getm_notBefore(certificate), -kDay) != nullptr &&
         ::X509_gmtime_adj(::X509_getm_notAfter(certificate), kDay) != nullptr &&
         ::X509_set_pubkey(certificate, key) == 1 &&
         ::X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, common, -1, -1, 0) == 1 &&
         ::X509_set_issuer_name(certificate, name) == 1 &&
         add(certificate, NID_basic_constraints, "critical,CA:TRUE") &&
         add(certificate, NID_key_usage, "critical,digitalSignature,keyCertSign") &&
         add(certificate, NID_subject_key_identifier, "hash") &&
         add(certificate, NID_subject_alt_name, "IP:127.0.0.1") &&
         ::X509_sign(certificate, key, ::EVP_sha256()) > 0;
}

std::string pem_of(X509* certificate) {
  const Owned<BIO> bio(::BIO_new(::BIO_s_mem()));
  if (!bio || ::PEM_write_bio_X509(bio.get(), certificate) != 1) return {};
  char* text = nullptr;
  const long size = BIO_get_mem_data(bio.get(), &text);
  return {text, static_cast<std::size_t>(size)};
}

}  // namespace

Result<TlsIdentity> TlsIdentity::make() {
  const Owned<EVP_PKEY> key(::EVP_EC_gen("P-256"));
  const Owned<X509> certificate(::X509_new());
  TlsIdentity made{std::unique_ptr<SSL_CTX, FreeSsl>(::SSL_CTX_new(::TLS_server_method())), ""};
  if (!key || !certificate || !made.context || !fill(certificate.get(), key.get()) ||
      ::SSL_CTX_use_certificate(made.context.get(), certificate.get()) != 1 ||
      ::SSL_CTX_use_PrivateKey(made.context.get(), key.get()) != 1)
    return failure("cannot make a certificate for the stub of the Auth API: libssl failed");
  made.pem = pem_of(certificate.get());
  return made;
}

}  // namespace claimsd::bench
