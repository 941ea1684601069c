#include "daemon/store/environment_identity.h"

#include <errno.h>
#include <fcntl.h>
#include <fmt/core.h>
#include <openssl/crypto.h>

#include <cstring>

#include "daemon/base/fd.h"
#include "daemon/base/format_version.h"
#include "daemon/base/read_fully.h"
#include "daemon/crypto/hmac_sha256.h"
#include "daemon/store/private_directory.h"

namespace claimsd::store {
namespace {

constexpr std::string_view kMagic = "claimsd cache\n";
constexpr std::size_t kCheckSize = crypto::HmacSha256::kSize;
constexpr std::size_t kMaxFile = 512;

std::string number(std::uint32_t value) {
  std::string bytes(sizeof value, '\0');
  std::memcpy(bytes.data(), &value, sizeof value);
  return bytes;
}

Result<std::string> read_small(const std::string& path) {
  const Fd fd(open(path.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC));
  if (!fd) return failure(errno == ENOENT ? "there is no earlier cache" : errno_text(errno));
  std::string bytes(kMaxFile, '\0');
  const auto size = read_fully(fd.get(), bytes);
  if (!size) return failure(errno_text(size.error()));
  bytes.resize(*size);
  return bytes;
}

}  // namespace

EnvironmentIdentity EnvironmentIdentity::create(std::string boot, Random& random) {
  EnvironmentIdentity made;
  made.boot_id = std::move(boot);
  random.fill(made.salt.data(), made.salt.size());
  return made;
}

Result<std::string> encode_identity(const EnvironmentIdentity& identity, const Secret& host_key) {
  if (identity.boot_id.size() > 255) return failure("the boot id is longer than 255 bytes");
  std::string bytes(kMagic);
  bytes += number(kEnvironmentVersion);
  bytes += static_cast<char>(static_cast<unsigned char>(identity.boot_id.size()));
  bytes += identity.boot_id;
  bytes += identity.salt_view();
  const Secret key =
      TRY(crypto::derive_key(host_key, "claimsd cache identity", identity.salt_view()));
  crypto::HmacSha256 hmac = TRY(crypto::HmacSha256::create(key.view()));
  const crypto::HmacSha256::Digest check = hmac.finish(bytes);
  bytes.append(reinterpret_cast<const char*>(check.data()), check.size());
  return bytes;
}

Result<EnvironmentIdentity> load_identity(const std::string& path, const Secret& host_key,
                                          const std::string& boot_id) {
  const std::string bytes = TRY(read_small(path));
  if (!bytes.starts_with(kMagic)) return failure("its identity file is damaged");
  std::string_view rest = std::string_view(bytes).substr(kMagic.size());
  if (rest.size() < sizeof kEnvironmentVersion) return failure("its identity file is damaged");
  if (!rest.starts_with(number(kEnvironmentVersion))) {
    std::uint32_t version = 0;
    std::memcpy(&version, rest.data(), sizeof version);
    return failure("it " + other_format(version, kEnvironmentVersion));
  }
  rest.remove_prefix(sizeof kEnvironmentVersion);
  EnvironmentIdentity found;
  const std::size_t boot_size = rest.empty() ? 0 : static_cast<unsigned char>(rest.front());
  if (rest.size() != 1 + boot_size + found.salt.size() + kCheckSize) {
    return failure("its identity file is damaged");
  }
  found.boot_id = rest.substr(1, boot_size);
  std::memcpy(found.salt.data(), rest.data() + 1 + boot_size, found.salt.size());
  const std::string expected = TRY(encode_identity(found, host_key));
  // The check is recomputed and compared in constant time, so that timing does not help a forger.
  if (expected.size() != bytes.size() ||
      CRYPTO_memcmp(expected.data(), bytes.data(), bytes.size()) != 0) {
    return failure("it was written with another host key, or its identity file is damaged");
  }
  if (found.boot_id != boot_id) return failure("it is from before the last boot");
  return found;
}

}  // namespace claimsd::store
