#include "daemon/fleet/fleet_sealer.h"

#include <fmt/core.h>

#include "daemon/crypto/hmac_sha256.h"
#include "proto/fleet_messages.h"

namespace claimsd::fleet {

Result<FleetSealer> FleetSealer::create(const std::vector<Secret>& keys, const std::string& fleet,
                                        Random& random) {
  if (keys.empty() || keys.size() > kMaxSealKeys)
    return failure(
        fmt::format("the fleet has {} seal keys: configure one, or two while keys are "
                    "rotated",
                    keys.size()));
  FleetSealer made;
  for (const Secret& key : keys) {
    if (key.view().size() < kMinSealKey)
      return failure(fmt::format("a seal key of the fleet has {} bytes: it needs at least {}",
                                 key.view().size(), kMinSealKey));
    const Secret seal = TRY(crypto::derive_key(key, "claimsd fleet seal", fleet));
    const Secret id = TRY(crypto::derive_key(key, "claimsd fleet key id", fleet));
    crypto::Sealer sealer = TRY(crypto::Sealer::create(seal, random));
    made.keys_.push_back({static_cast<std::uint8_t>(id.view().front()), std::move(sealer)});
  }
  return made;
}

std::string FleetSealer::seal(std::string_view body) {
  Key& key = keys_.front();
  const auto header = proto::encode_fleet_header({.key_id = key.id});
  std::string envelope(header.data(), header.size());
  envelope.resize(header.size() + body.size() + crypto::Sealer::kOverhead);
  const std::span<char> box = std::span(envelope).subspan(header.size());
  if (!key.sealer.seal({header.data(), header.size()}, body, box)) return {};
  return envelope;
}

Opened FleetSealer::open(std::string_view envelope, std::string& body) {
  constexpr std::size_t kLeast = proto::kFleetHeader + crypto::Sealer::kOverhead;
  proto::FleetHeader header;
  if (envelope.size() < kLeast || envelope.size() > kLeast + proto::kMaxFleetBody ||
      !proto::decode_fleet_header(envelope, header))
    return Opened::kUnsealed;
  body.resize(envelope.size() - kLeast);
  for (Key& key : keys_) {
    if (key.id != header.key_id) continue;
    if (!key.sealer.open(envelope.substr(0, proto::kFleetHeader),
                         envelope.substr(proto::kFleetHeader), body))
      continue;
    if (header.version <= proto::kFleetVersion) return Opened::kOpened;
    return (header.flags & proto::kFleetMustUnderstand) != 0 ? Opened::kMustUpgrade
                                                             : Opened::kNewer;
  }
  return Opened::kUnsealed;
}

}  // namespace claimsd::fleet
