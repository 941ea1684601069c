#include "daemon/audit/digest.h"

#include <cstdlib>
#include <cstring>

#include "daemon/crypto/openssl_ptr.h"

namespace claimsd::audit {
namespace {

constexpr std::string_view kChainLabel("claimsd audit log\0", 18);
// Label of the subkey; each purpose of the host key has a different one.
constexpr std::string_view kTokenLabel("claimsd audit token", 19);

void must(int openssl_ok) {
  if (openssl_ok != 1) std::abort();
}

}  // namespace

struct Hasher::State {
  crypto::EvpMdPtr sha256;
  crypto::EvpMdCtxPtr context;
};

Hasher::Hasher(std::unique_ptr<State> state) : state_(std::move(state)) {}
Hasher::Hasher(Hasher&&) noexcept = default;
Hasher& Hasher::operator=(Hasher&&) noexcept = default;
Hasher::~Hasher() = default;

Result<Hasher> Hasher::create() {
  auto state = std::make_unique<State>();
  state->sha256.reset(EVP_MD_fetch(nullptr, "SHA256", nullptr));
  state->context.reset(EVP_MD_CTX_new());
  if (!state->sha256 || !state->context) {
    return failure("libcrypto does not provide SHA-256: activate OpenSSL's default provider");
  }
  return Hasher(std::move(state));
}

Link Hasher::hash(std::string_view one, std::string_view two) {
  Link out;
  must(EVP_DigestInit_ex2(state_->context.get(), state_->sha256.get(), nullptr));
  must(EVP_DigestUpdate(state_->context.get(), one.data(), one.size()));
  must(EVP_DigestUpdate(state_->context.get(), two.data(), two.size()));
  must(EVP_DigestFinal_ex(state_->context.get(), out.data(), nullptr));
  return out;
}

Link Hasher::first(std::string_view origin) {
  return hash(kChainLabel, origin);
}

Link Hasher::next(const Link& before, std::string_view record) {
  return hash(bytes_of(before), record);
}

Result<Fingerprinter> Fingerprinter::create(const Secret& host_key) {
  crypto::HmacSha256 host = TRY(crypto::HmacSha256::create(host_key.view()));
  Link key = host.finish(kTokenLabel);
  Result<crypto::HmacSha256> keyed = crypto::HmacSha256::create(bytes_of(key));
  explicit_bzero(key.data(), key.size());
  return Fingerprinter(TRY(std::move(keyed)));
}

Fingerprint Fingerprinter::of(std::string_view token) {
  const Link whole = keyed_.finish(token);
  Fingerprint cut;
  std::memcpy(cut.data(), whole.data(), cut.size());
  return cut;
}

}  // namespace claimsd::audit
