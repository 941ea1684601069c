#include "daemon/crypto/tls_credentials.h"

#include <fmt/core.h>
#include <openssl/err.h>
#include <openssl/pem.h>

#include <chrono>

namespace claimsd::crypto {
namespace {

using BioPtr = std::unique_ptr<BIO, OpensslFree<BIO_free>>;
using X509Ptr = std::unique_ptr<X509, OpensslFree<X509_free>>;
using SslCtxPtr = std::unique_ptr<SSL_CTX, OpensslFree<SSL_CTX_free>>;

struct FreeInfos {
  void operator()(STACK_OF(X509_INFO) * infos) const {
    sk_X509_INFO_pop_free(infos, X509_INFO_free);
  }
};

constexpr const char* kCaFile = "ca_file";
constexpr const char* kClientCertificate = "client_certificate";
constexpr const char* kClientKey = "client_key";

// libcurl would take entries left in the thread's OpenSSL error queue for its own.
struct ErrorsCleared {
  ErrorsCleared() { ERR_clear_error(); }
  ~ErrorsCleared() { ERR_clear_error(); }
  ErrorsCleared(const ErrorsCleared&) = delete;
  ErrorsCleared& operator=(const ErrorsCleared&) = delete;
};

BioPtr reader_of(const Secret& text) {
  return BioPtr(BIO_new_mem_buf(text.view().data(), static_cast<int>(text.view().size())));
}

std::size_t count(std::string_view text, std::string_view mark) {
  std::size_t found = 0;
  for (auto at = text.find(mark); at != std::string_view::npos; at = text.find(mark, at + 1))
    ++found;
  return found;
}

// A file that is still being written may be truncated anywhere; OpenSSL would accept the rest.
bool is_cut_off(const Secret& text) {
  return count(text.view(), "-----BEGIN") != count(text.view(), "-----END ");
}

std::string last_error() {
  const unsigned long code = ERR_peek_last_error();
  const char* const reason = code == 0 ? nullptr : ERR_reason_error_string(code);
  return reason == nullptr ? "not PEM" : reason;
}

// An encrypted key fails instead of prompting at the terminal.
int no_passphrase(char* /*buffer*/, int /*size*/, int /*writing*/, void* /*unused*/) {
  return 0;
}

WallTime time_of(const ASN1_TIME* time) {
  std::tm parts{};
  if (ASN1_TIME_to_tm(time, &parts) != 1) return WallTime::max();
  const std::chrono::sys_days day =
      std::chrono::year(parts.tm_year + 1900) / (parts.tm_mon + 1) / parts.tm_mday;
  return WallTime(day.time_since_epoch() + std::chrono::hours(parts.tm_hour) +
                  std::chrono::minutes(parts.tm_min) + std::chrono::seconds(parts.tm_sec));
}

}  // namespace

WallTime expiry_of(const X509* certificate) {
  return time_of(X509_get0_notAfter(certificate));
}

tl::expected<std::shared_ptr<const TlsCredentials>, CredentialError> TlsCredentials::parse(
    const CredentialTexts& texts) {
  const ErrorsCleared cleared;
  std::shared_ptr<TlsCredentials> made(new TlsCredentials);
  if (!texts.authorities.empty()) {
    if (auto error = made->take_authorities(texts.authorities)) return tl::unexpected(*error);
  }
  if (!texts.certificate.empty()) {
    if (auto error = made->take_certificate(texts.certificate)) return tl::unexpected(*error);
    if (auto error = made->take_key(texts.key)) return tl::unexpected(*error);
  }
  // Report now what OpenSSL rejects (a short key, for example), not at each handshake.
  const SslCtxPtr trial(SSL_CTX_new(TLS_client_method()));
  if (!trial || !made->install(trial.get()))
    return tl::unexpected(CredentialError{kClientCertificate, last_error()});
  return made;
}

std::optional<CredentialError> TlsCredentials::take_authorities(const Secret& text) {
  const auto error = [](std::string why) { return CredentialError{kCaFile, std::move(why)}; };
  if (is_cut_off(text)) return error("the file is truncated within a certificate");
  authorities_.reset(X509_STORE_new());
  const std::unique_ptr<STACK_OF(X509_INFO), FreeInfos> infos(
      PEM_X509_INFO_read_bio(reader_of(text).get(), nullptr, no_passphrase, nullptr));
  if (!authorities_ || !infos) return error(last_error());
  int taken = 0;
  for (int at = 0; at < sk_X509_INFO_num(infos.get()); ++at) {
    const X509_INFO* const info = sk_X509_INFO_value(infos.get(), at);
    if (info->x509 != nullptr) taken += X509_STORE_add_cert(authorities_.get(), info->x509);
    if (info->crl != nullptr) X509_STORE_add_crl(authorities_.get(), info->crl);
  }
  if (taken == 0) return error("the file contains no certificate");
  // The same flags that libcurl sets for CA certificates it reads itself.
  X509_STORE_set_flags(authorities_.get(), X509_V_FLAG_TRUSTED_FIRST | X509_V_FLAG_PARTIAL_CHAIN);
  return std::nullopt;
}

std::optional<CredentialError> TlsCredentials::take_certificate(const Secret& text) {
  const auto error = [](std::string why) {
    return CredentialError{kClientCertificate, std::move(why)};
  };
  if (is_cut_off(text)) return error("the file is truncated within a certificate");
  const BioPtr bio = reader_of(text);
  certificate_.reset(PEM_read_bio_X509_AUX(bio.get(), nullptr, no_passphrase, nullptr));
  chain_.reset(sk_X509_new_null());
  if (!certificate_ || !chain_) return error(last_error());
  while (X509Ptr next{PEM_read_bio_X509(bio.get(), nullptr, no_passphrase, nullptr)}) {
    if (sk_X509_push(chain_.get(), next.get()) == 0) return error("out of memory");
    static_cast<void>(next.release());  // now owned by the stack
  }
  // PEM_R_NO_START_LINE is the normal end of the list.
  if (ERR_GET_REASON(ERR_peek_last_error()) != PEM_R_NO_START_LINE) return error(last_error());
  ERR_clear_error();
  certificate_end_ = expiry_of(certificate_.get());
  return std::nullopt;
}

std::optional<CredentialError> TlsCredentials::take_key(const Secret& text) {
  const auto error = [](std::string why) { return CredentialError{kClientKey, std::move(why)}; };
  key_.reset(PEM_read_bio_PrivateKey(reader_of(text).get(), nullptr, no_passphrase, nullptr));
  if (!key_) {
    return error(
        fmt::format("cannot read a private key: {}; if the key has a passphrase, remove it",
                    is_cut_off(text) ? "the file is truncated" : last_error()));
  }
  if (X509_check_private_key(certificate_.get(), key_.get()) != 1)
    return error("the key does not match client_certificate");
  return std::nullopt;
}

bool TlsCredentials::install(SSL_CTX* context) const {
  if (authorities_) SSL_CTX_set1_cert_store(context, authorities_.get());
  return !certificate_ ||
         SSL_CTX_use_cert_and_key(context, certificate_.get(), key_.get(), chain_.get(), 1) == 1;
}

}  // namespace claimsd::crypto
