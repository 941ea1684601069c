// fleet_sealer.h: seals and opens the messages of a fleet (proto/fleet_messages.h).
//
// Seals with the newest key and opens with any, so that keys can be rotated host by host: add the
// new key as the second everywhere, then make it the first, then remove the old one. The keys are
// derived from the configured ones and the fleet's name: two fleets with one key file do not mix.
// Move-only; one thread.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "daemon/base/random.h"
#include "daemon/base/result.h"
#include "daemon/base/secret.h"
#include "daemon/crypto/sealer.h"

namespace claimsd::fleet {

inline constexpr std::size_t kMinSealKey = 32;
inline constexpr std::size_t kMaxSealKeys = 2;

enum class Opened : std::uint8_t {
  kOpened,
  kUnsealed,     // not sealed under one of the keys
  kNewer,        // authentic, of a newer version: to be ignored
  kMustUpgrade,  // authentic, and of a newer version that every host must understand
};

class FleetSealer {
 public:
  // `keys`: newest first. `random` must outlive the sealer.
  static Result<FleetSealer> create(const std::vector<Secret>& keys, const std::string& fleet,
                                    Random& random);

  // An envelope; empty if libcrypto fails.
  std::string seal(std::string_view body);
  // Fills `body` with kOpened only.
  Opened open(std::string_view envelope, std::string& body);

 private:
  struct Key {
    std::uint8_t id = 0;
    crypto::Sealer sealer;
  };
  FleetSealer() = default;

  std::vector<Key> keys_;
};

}  // namespace claimsd::fleet
