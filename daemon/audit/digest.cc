#include "daemon/audit/digest.h"

#include <openssl/core_names.h>
#include <openssl/params.h>

#include <cstdlib>
#include <cstring>

#include "daemon/audit/openssl.h"

namespace claimsd::daemon {
namespace {

using audit_crypto::MacCtxPtr;
using audit_crypto::MacPtr;
using audit_crypto::MdCtxPtr;
using audit_crypto::MdPtr;

constexpr std::string_view kChainLabel("claimsd audit log\0", 18);
// Purpose of the sub-key; other purposes of the host key have labels of their own.
constexpr std::string_view kTokenLabel("claimsd audit token", 19);

void must(int openssl_ok) {
  if (openssl_ok != 1) std::abort();
}

const unsigned char* data_of(std::string_view bytes) {
  return reinterpret_cast<const unsigned char*>(bytes.data());
}

tl::unexpected<Error> no_sha256() {
  return failure("libcrypto cannot do SHA-256: check that OpenSSL's default provider is active");
}

MacCtxPtr hmac_sha256(std::string_view key) {
  const MacPtr mac(EVP_MAC_fetch(nullptr, "HMAC", nullptr));
  MacCtxPtr context(mac ? EVP_MAC_CTX_new(mac.get()) : nullptr);
  char digest[] = "SHA256";
  const OSSL_PARAM parameters[] = {
      OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
      OSSL_PARAM_construct_end()};
  if (!context || EVP_MAC_init(context.get(), data_of(key), key.size(), parameters) != 1) return {};
  return context;
}

// The key stays in the context: an init without one starts anew under it (EVP_MAC(3)).
AuditLink mac_of(EVP_MAC_CTX* context, std::string_view message) {
  AuditLink out;
  std::size_t size = 0;
  must(EVP_MAC_init(context, nullptr, 0, nullptr));
  must(EVP_MAC_update(context, data_of(message), message.size()));
  must(EVP_MAC_final(context, out.data(), &size, out.size()));
  return out;
}

}  // namespace

struct AuditHasher::State {
  MdPtr sha256;
  MdCtxPtr context;
};

AuditHasher::AuditHasher(std::unique_ptr<State> state) : state_(std::move(state)) {}
AuditHasher::AuditHasher(AuditHasher&&) noexcept = default;
AuditHasher& AuditHasher::operator=(AuditHasher&&) noexcept = default;
AuditHasher::~AuditHasher() = default;

Result<AuditHasher> AuditHasher::create() {
  auto state = std::make_unique<State>();
  state->sha256.reset(EVP_MD_fetch(nullptr, "SHA256", nullptr));
  state->context.reset(EVP_MD_CTX_new());
  if (!state->sha256 || !state->context) return no_sha256();
  return AuditHasher(std::move(state));
}

AuditLink AuditHasher::hash(std::string_view one, std::string_view two) {
  AuditLink out;
  must(EVP_DigestInit_ex2(state_->context.get(), state_->sha256.get(), nullptr));
  must(EVP_DigestUpdate(state_->context.get(), one.data(), one.size()));
  must(EVP_DigestUpdate(state_->context.get(), two.data(), two.size()));
  must(EVP_DigestFinal_ex(state_->context.get(), out.data(), nullptr));
  return out;
}

AuditLink AuditHasher::first(std::string_view origin) {
  return hash(kChainLabel, origin);
}

AuditLink AuditHasher::next(const AuditLink& before, std::string_view record) {
  return hash(bytes_of(before), record);
}

struct AuditFingerprinter::State {
  MacCtxPtr keyed;
};

AuditFingerprinter::AuditFingerprinter(std::unique_ptr<State> state) : state_(std::move(state)) {}
AuditFingerprinter::AuditFingerprinter(AuditFingerprinter&&) noexcept = default;
AuditFingerprinter& AuditFingerprinter::operator=(AuditFingerprinter&&) noexcept = default;
AuditFingerprinter::~AuditFingerprinter() = default;

Result<AuditFingerprinter> AuditFingerprinter::create(const Secret& host_key) {
  const MacCtxPtr host = hmac_sha256(host_key.view());
  if (!host) return no_sha256();
  AuditLink key = mac_of(host.get(), kTokenLabel);
  auto state = std::make_unique<State>();
  state->keyed = hmac_sha256(bytes_of(key));
  explicit_bzero(key.data(), key.size());
  if (!state->keyed) return no_sha256();
  return AuditFingerprinter(std::move(state));
}

AuditFingerprint AuditFingerprinter::of(std::string_view token) {
  const AuditLink whole = mac_of(state_->keyed.get(), token);
  AuditFingerprint cut;
  std::memcpy(cut.data(), whole.data(), cut.size());
  return cut;
}

}  // namespace claimsd::daemon
