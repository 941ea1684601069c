// ports.h: the interfaces through which the fleet's policy reaches the rest of the daemon.
//
// The replica (replica.h) decides; the bus sends and receives; the revocations apply. All calls are
// made on the loop thread and return immediately. The bus keeps the order of the calls.
#pragma once

#include <string>
#include <vector>

#include "daemon/claims/revocation/rule.h"

namespace claimsd::fleet {

// A value of a Redis hash. The bytes are sealed (fleet_sealer.h); the field is printable ASCII and
// reveals no subject.
struct Field {
  std::string name;
  std::string bytes;
};

// Commands to Redis. What cannot be sent is dropped: the replica repeats what matters. Keys are
// `{claimsd:NAME}:` followed by the word given here.
class Bus {
 public:
  virtual ~Bus() = default;
  // One transaction: HSET `actions`, XADD `log`.
  virtual void publish(Field item) = 0;
  // XADD `log`: a message between the hosts that is not an item.
  virtual void announce(std::string bytes) = 0;
  // XADD `pulse`, MAXLEN 8. Only a write proves that the server is alive.
  virtual void pulse(std::string bytes) = 0;
  // HSET `hosts`, HDEL `hosts`.
  virtual void put_row(Field row) = 0;
  virtual void drop_rows(std::vector<std::string> names) = 0;
  // HSET `actions`, HDEL `actions`, at most kMaxBatch fields.
  virtual void put_items(std::vector<Field> items) = 0;
  virtual void drop_items(std::vector<std::string> names) = 0;
  // HSCAN `actions`: Replica::on_item() for each field, then on_items_read().
  virtual void read_items() = 0;
  // HSCAN `hosts`: Replica::on_row() for each field, then on_rows_read().
  virtual void read_rows() = 0;
  // HLEN `actions`: Replica::on_item_count().
  virtual void count_items() = 0;
};

inline constexpr std::size_t kMaxBatch = 1'000;

// Applies what other hosts ordered. Once apply() has returned true, no lookup that starts later
// answers valid against it. Replica::on_durable() follows when it is on disk and no predecessor's
// map can still be trusted.
class LocalRules {
 public:
  virtual ~LocalRules() = default;
  // All rules of one action. False if there is no room: then nothing has changed.
  virtual bool apply(const std::vector<claims::Rule>& rules) = 0;
  virtual bool apply(const claims::Withdrawal& withdrawal) = 0;
  // The host was covered at this time: write it to disk. The next start passes it to the replica,
  // which otherwise counts as a host that was never current. At most once an hour.
  virtual void remember_current(WallTime at) = 0;
};

}  // namespace claimsd::fleet
