// environment_identity.h: what a claims cache must match to be picked up, in a small file beside
// it.
//
//   file = magic u32 version boot salt check
//   boot = u8 size, bytes      /proc/sys/kernel/random/boot_id
//   salt = 32 bytes            random; all keys of the environment derive from it and the host key
//   check = 32 bytes           HMAC of the rest under a key derived from the host key and the salt
//
// Outside of LMDB, since it has to be read first: after a power failure the cache, which is never
// synced, can be any bytes at all. It needs no sync itself, because it is void after the next boot.
// Blocks on the file system: at start only.
#pragma once

#include <array>
#include <optional>
#include <string>

#include "daemon/base/random.h"
#include "daemon/base/result.h"
#include "daemon/base/secret.h"

namespace claimsd::daemon {

// Raised whenever any byte of the cache changes its meaning.
inline constexpr std::uint32_t kEnvironmentVersion = 1;

struct EnvironmentIdentity {
  std::string boot_id;  // at most 255 bytes
  std::array<char, 32> salt{};

  static EnvironmentIdentity create(std::string boot_id, Random& random);

  std::string_view salt_view() const { return {salt.data(), salt.size()}; }
};

// The Error is why not, as the end of "starting empty: ...".
Result<EnvironmentIdentity> load_identity(const std::string& path, const Secret& host_key,
                                          const std::string& boot_id);

// The file's bytes, which hold no secret: to be kept where the host key need not be.
Result<std::string> encode_identity(const EnvironmentIdentity& identity, const Secret& host_key);

// Replaces what is there, as a whole.
Status save_identity(const std::string& path, const std::string& encoded);

}  // namespace claimsd::daemon
