// lease_publisher.h: shows confirmed entries in the map of leases, and takes them out again.
//
// Where a lease lies its token says (a set of kWays slots); which of these it gets is decided here:
// its own from before, an empty one, an ended one, or the one that ends first. Withdrawing
// overwrites the slot before it returns; "all" raises the map's epoch, which every reader compares.
// The heartbeat tells readers that whoever would withdraw is alive; it also clears, a few slots at
// a time, what has ended.
//
// Logic without system calls, on memory that somebody else mapped and that outlives it. Loop
// thread, which is the map's one writer. Layout, sealing and the reasons: proto/SHM.md.
#pragma once

#include <memory>

#include "daemon/base/result.h"
#include "daemon/shm/lease_counters.h"
#include "daemon/shm/shared_map.h"
#include "daemon/shm/slot_directory.h"
#include "proto/sealing.h"

namespace claimsd::daemon {

class LeasePublisher final : public Publisher {
 public:
  // The map must be blank: SharedMap::create(), or any memory with such a header. Writes the first
  // heartbeat. Fails when libcrypto lacks what sealing needs.
  static Result<std::unique_ptr<LeasePublisher>> create(MapMemory map, Clock& clock,
                                                        Random& random);

  void publish(UpstreamId upstream, std::string_view token, const TokenKey& key, const Entry& entry,
               const LeaseEnd& end) override;
  BootTime shown_until(const TokenKey& key) const override;
  void withdraw(const TokenKey& key) override;
  void withdraw_user(UpstreamId upstream, std::string_view user) override;
  void withdraw_all() override;

  // Every kHeartbeatInterval; later than kHeartbeatLimit, and nobody believes the map.
  void heartbeat();
  // For good: from here on nobody believes the map, and nothing is published.
  void stop();

  std::uint64_t slots() const { return directory_.slots(); }
  // Slots that show something; what has ended is cleared within a minute.
  std::uint64_t used() const { return directory_.used(); }
  std::uint64_t epoch() const { return epoch_; }
  const LeaseCounters& counters() const { return counters_; }

 private:
  LeasePublisher(MapMemory map, Clock& clock, Random& random);
  bool accepts(std::string_view token, const Entry& entry, const LeaseEnd& end, const Now& now);
  SlotNumber choose_slot(const proto::SlotSecret& secret, const TokenKey& key, const Now& now);
  bool seal(const proto::SlotSecret& secret, UpstreamId upstream, const Entry& entry,
            const LeaseEnd& end, proto::SlotCopy& slot);
  void clear(SlotNumber slot);
  void clear_ended(const Now& now);

  MapMemory map_;
  Clock& clock_;
  proto::Sealer sealer_;
  SlotDirectory directory_;
  LeaseCounters counters_;
  std::uint64_t publication_ = 0;  // never reset: a nonce is made of it
  std::uint64_t epoch_ = 0;
  SlotNumber next_to_clear_ = 0;
  bool stopped_ = false;
};

}  // namespace claimsd::daemon
