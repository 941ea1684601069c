// connection_slots.h: which connections an HTTP server serves when clients open many. Pure; loop
// thread. Owned by the HTTP server.
//
// A client that has not sent a whole request yet has to yield to newcomers: the oldest one is closed
// when its uid, or the server, has no slot left. So clients that send nothing delay no one. When all
// slots are taken by requests, such as long polls, further connections get one of the action slots,
// in which only admin actions are served. So an emergency revocation does not wait.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

namespace claimsd::admin {

struct SlotLimits {
  std::size_t connections = 16;  // besides the action slots
  std::size_t per_uid = 8;
  std::size_t actions = 2;
};

class ConnectionSlots {
 public:
  using Id = std::uint64_t;
  static constexpr std::uint32_t kNoUid = UINT32_MAX;  // of TCP connections

  explicit ConnectionSlots(const SlotLimits& limits) : limits_(limits) {}

  struct Entry {
    bool admitted = false;        // false: refuse it
    std::optional<Id> displaced;  // close this connection, which has left the table
  };
  Entry enter(Id id, std::uint32_t uid);
  // The connection has sent a whole request. Returns whether it may be served; if not, refuse it.
  bool begin_request(Id id, bool is_action);
  void leave(Id id);
  std::size_t size() const { return taken_.size(); }

 private:
  struct Slot {
    Id id;
    std::uint32_t uid;
    bool action_only;
    bool has_request = false;
  };
  // The oldest connection without a request for which `matches` holds.
  template <class Matches>
  std::optional<Id> displace(Matches&& matches);
  template <class Matches>
  std::size_t count(Matches&& matches) const;

  const SlotLimits limits_;
  std::vector<Slot> taken_;  // oldest first
};

}  // namespace claimsd::admin
