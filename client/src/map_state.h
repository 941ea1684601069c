// map_state.h: what became of the shared map of leases, as one table: codes and sentences for the
// caller's statistics. Static storage; any thread.
#pragma once

#include <cstdint>

namespace claimsd::client {

// S(identifier, sentence)
// clang-format off
#define CLAIMSD_MAP_STATES(S) \
  S(kNotAsked,       "the daemon has not been asked yet") \
  S(kInUse,          "in use") \
  S(kOff,            "off: this handle was opened with CLAIMSD_SOCKET_ONLY") \
  S(kNoMemory,       "not used: this process has no memory left to map it") \
  S(kNotGranted,     "not used: the daemon does not offer it (shared_memory in its configuration)") \
  S(kNoDescriptor,   "not used: its descriptor did not arrive; is this process out of descriptors?") \
  S(kOtherClock,     "not used: this process lives in a time namespace of its own") \
  S(kNotSealed,      "not used: what the daemon passed can still be shrunk or written; upgrade the daemon") \
  S(kUnknownLayout,  "not used: the daemon's map has another layout; upgrade the older side") \
  S(kOutdated,       "not used: the map was that of a daemon which has gone since")
// clang-format on

enum class MapState : std::uint8_t {
#define CLAIMSD_MAP_STATE_ENUM(identifier, sentence) identifier,
  CLAIMSD_MAP_STATES(CLAIMSD_MAP_STATE_ENUM)
#undef CLAIMSD_MAP_STATE_ENUM
};

constexpr const char* sentence_of(MapState state) {
  switch (state) {
#define CLAIMSD_MAP_STATE_SENTENCE(identifier, sentence) \
  case MapState::identifier: return sentence;
    CLAIMSD_MAP_STATES(CLAIMSD_MAP_STATE_SENTENCE)
#undef CLAIMSD_MAP_STATE_SENTENCE
  }
  return "";
}

}  // namespace claimsd::client
