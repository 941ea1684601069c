#include "daemon/audit/digest.h"

#include <cstdlib>
#include <cstring>

#include "daemon/crypto/openssl_ptr.h"

namespace claimsd::daemon {
namespace {

constexpr std::string_view kChainLabel("claimsd audit log\0", 18);
// Label of the subkey; each purpose of the host key has a different one.
constexpr std::string_view kTokenLabel("claimsd audit token", 19);

void must(int openssl_ok) {
  if (openssl_ok != 1) std::abort();
}

}  // namespace

struct AuditHasher::State {
  EvpMdPtr sha256;
  EvpMdCtxPtr context;
};

AuditHasher::AuditHasher(std::unique_ptr<State> state) : state_(std::move(state)) {}
AuditHasher::AuditHasher(AuditHasher&&) noexcept = default;
AuditHasher& AuditHasher::operator=(AuditHasher&&) noexcept = default;
AuditHasher::~AuditHasher() = default;

Result<AuditHasher> AuditHasher::create() {
  auto state = std::make_unique<State>();
  state->sha256.reset(EVP_MD_fetch(nullptr, "SHA256", nullptr));
  state->context.reset(EVP_MD_CTX_new());
  if (!state->sha256 || !state->context) {
    return failure("libcrypto does not provide SHA-256: activate OpenSSL's default provider");
  }
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

Result<AuditFingerprinter> AuditFingerprinter::create(const Secret& host_key) {
  HmacSha256 host = TRY(HmacSha256::create(host_key.view()));
  AuditLink key = host.finish(kTokenLabel);
  Result<HmacSha256> keyed = HmacSha256::create(bytes_of(key));
  explicit_bzero(key.data(), key.size());
  return AuditFingerprinter(TRY(std::move(keyed)));
}

AuditFingerprint AuditFingerprinter::of(std::string_view token) {
  const AuditLink whole = keyed_.finish(token);
  AuditFingerprint cut;
  std::memcpy(cut.data(), whole.data(), cut.size());
  return cut;
}

}  // namespace claimsd::daemon
