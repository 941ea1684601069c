// Client reads of a shared map whose writer may do anything: arbitrary bytes in a slot, or
// arbitrary bytes sealed as claims. The client finds the published claims or nothing, and never
// crashes.
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>

#include "client/src/answer.h"
#include "client/src/local_lookup.h"
#include "tests/support/fake_daemon.h"
#include "tests/support/map_writer.h"

namespace {

using namespace claimsd;
using claimsd::testing::MapWriter;

constexpr int kTokens = 4;

void require(bool held) {
  if (!held) std::abort();
}

std::string token_of(int number) {
  return "a token of forty characters, number " + std::to_string(1000 + number);
}

// One map for all inputs, restored before each.
struct Dependencies {
  Dependencies() {
    path.create({.on = true, .local_table = true, .local_entries = 4});
    const proto::Welcome welcome{.version = proto::kVersion,
                                 .features = proto::kFeatureSharedMap,
                                 .boot_time_ns = testing::boot_now(),
                                 .upstream_id = map.upstream()};
    path.welcome(welcome, client::OwnedFd(dup(map.fd())));
    for (int i = 0; i < kTokens; ++i) map.publish(token_of(i), testing::claims_block(token_of(i)));
    sound.assign(map.bytes(), map.size());
  }

  void fix() {
    std::memcpy(map.bytes(), sound.data(), sound.size());
    map.header().epoch = 1;
    map.beat();
  }

  // Looks up a token; a result must be correct.
  bool look_up(int number) {
    claimsd_answer* answer = nullptr;
    const std::string token = token_of(number);
    const bool found = path.look_up({.max_age_ms = proto::kAnyAge, .token = token}, &answer);
    require(found == (answer != nullptr));
    if (found) {
      require(claimsd_answer_verdict(answer) == CLAIMSD_VALID);
      require(claimsd_answer_id(answer) == token);
    }
    claimsd_answer_free(answer);
    return found;
  }

  MapWriter map;
  client::SharedMemory path;
  std::string sound;
};

// Writes pieces of the input over the tokens' slots: u8 token, u8 word, u8 length, bytes.
void scribble(Dependencies& world, const std::uint8_t* data, std::size_t size) {
  while (size > 3) {
    char* const slot = reinterpret_cast<char*>(world.map.slot_of(token_of(data[0] % kTokens)));
    if (slot == nullptr) return;  // its index was overwritten
    const std::size_t at = data[1] % proto::kSlotWords * sizeof(std::uint64_t);
    const std::size_t buffers = proto::kSlotSize - at;
    std::size_t length = data[2] < size - 3 ? data[2] : size - 3;
    if (length > buffers) length = buffers;
    std::memcpy(slot + at, data + 3, length);
    data += 3 + length;
    size -= 3 + length;
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const auto world = std::make_unique<Dependencies>();
  if (size == 0) return 0;
  world->fix();
  const std::string_view rest(reinterpret_cast<const char*>(data + 1), size - 1);
  if (data[0] % 2 == 0) {
    scribble(*world, data + 1, size - 1);
    for (int i = 0; i < kTokens; ++i) world->look_up(i);
  } else if (!rest.empty() && rest.size() <= proto::kMaxSlotClaims) {
    const std::string token = token_of(kTokens);
    world->map.publish(token, rest);
    claimsd_answer* answer = nullptr;
    if (world->path.look_up({.max_age_ms = proto::kAnyAge, .token = token}, &answer)) {
      require(std::strlen(claimsd_answer_id(answer)) > 0);
      for (std::size_t i = 0; i < claimsd_answer_role_count(answer); ++i) {
        require(claimsd_answer_role(answer, i) != nullptr);
      }
    }
    claimsd_answer_free(answer);
  }
  return 0;
}
