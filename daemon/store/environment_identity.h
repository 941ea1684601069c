// environment_identity.h: the file that says whether a claims cache may be reused.
//
//   file  = magic u32 version boot salt check
//   boot  = u8 size, bytes     /proc/sys/kernel/random/boot_id
//   salt  = 32 bytes           random; all keys of the cache derive from it and the host key
//   check = 32 bytes           HMAC of the rest under a key derived from the host key and the salt
//
// Separate from the LMDB file because it must be read first: the cache is never synced, so after a
// power failure it may hold arbitrary bytes. Blocks on the file system: call at startup only.
#pragma once

#include <array>
#include <optional>
#include <string>

#include "daemon/base/random.h"
#include "daemon/base/result.h"
#include "daemon/base/secret.h"

namespace claimsd::store {

// Increase when the meaning of any byte of the cache changes.
inline constexpr std::uint32_t kEnvironmentVersion = 2;

struct EnvironmentIdentity {
  std::string boot_id;  // at most 255 bytes
  std::array<char, 32> salt{};

  static EnvironmentIdentity create(std::string boot_id, Random& random);

  std::string_view salt_view() const { return {salt.data(), salt.size()}; }
};

// On failure the Error completes the sentence "starting empty: ...".
Result<EnvironmentIdentity> load_identity(const std::string& path, const Secret& host_key,
                                          const std::string& boot_id);

// Encodes the file, for replace_file(). It contains no secret, so it can be kept after the host key is wiped.
Result<std::string> encode_identity(const EnvironmentIdentity& identity, const Secret& host_key);

}  // namespace claimsd::store
