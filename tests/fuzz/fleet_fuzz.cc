// The fleet's messages with arbitrary bytes: sealed envelopes, bodies, and what a replica does with
// bodies that are authentic but arbitrary. Whatever decodes is encoded again to the same bytes.
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <string>

#include "daemon/fleet/fleet_sealer.h"
#include "daemon/fleet/rules.h"
#include "proto/fleet_messages.h"
#include "tests/proto/exact_bytes.h"

namespace {

using namespace claimsd;
using namespace claimsd::proto;
using claimsd::testing::ExactBytes;

void require(bool held) {
  if (!held) std::abort();
}

template <class Content>
void encode_again(const FleetBody& body, std::string_view bytes) {
  Content content;
  if (!decode_fleet(body.content, content)) return;
  require(encode_fleet(body.sender, content) == bytes);
}

void try_rules(std::string_view content) {
  const Now now{BootTime(seconds(1'000)), WallTime(seconds(1'767'225'600))};
  if (FleetAction action; decode_fleet(content, action)) {
    require(!action.rules.empty() && action.rules.size() <= kMaxFleetRules);
    if (const auto rules = fleet::rules_of(action, now, now.wall)) {
      require(rules->size() == action.rules.size());
      for (const claims::Rule& rule : *rules) require(rule.ends.boot >= BootTime::min());
    }
  }
  if (FleetWithdrawal withdrawal; decode_fleet(content, withdrawal))
    fleet::withdrawal_of(withdrawal, now, now.wall);
}

fleet::FleetSealer& sealer() {
  static SystemRandom random;
  static std::unique_ptr<fleet::FleetSealer> made = [] {
    std::vector<Secret> keys;
    keys.emplace_back(std::string_view("a seal key for arbitrary messages"));
    return std::make_unique<fleet::FleetSealer>(
        std::move(*fleet::FleetSealer::create(keys, "fuzz", random)));
  }();
  return *made;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const ExactBytes bytes(std::string_view(reinterpret_cast<const char*>(data), size));
  std::string opened;
  require(sealer().open(bytes.view(), opened) != fleet::Opened::kOpened);
  FleetBody body;
  if (!decode_fleet_body(bytes.view(), body)) return 0;
  switch (body.kind) {
    case FleetKind::kAction: encode_again<FleetAction>(body, bytes.view()); break;
    case FleetKind::kWithdrawal: encode_again<FleetWithdrawal>(body, bytes.view()); break;
    case FleetKind::kPulse: encode_again<FleetPulse>(body, bytes.view()); break;
    case FleetKind::kRow: encode_again<FleetRow>(body, bytes.view()); break;
    case FleetKind::kBuckets: encode_again<FleetBuckets>(body, bytes.view()); break;
    case FleetKind::kIds: encode_again<FleetIds>(body, bytes.view()); break;
  }
  try_rules(body.content);
  return 0;
}
