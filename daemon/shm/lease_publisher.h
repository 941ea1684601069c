// lease_publisher.h: publishes confirmed entries in the shared map of leases, and withdraws them.
//
// The token determines a set of kWays slots. Of these the publisher takes the token's current slot,
// an empty one, an expired one, or the one that expires first. Withdrawing overwrites the slot
// before it returns. Withdrawing all increases the map's epoch, which every reader compares. The
// heartbeat shows readers that the daemon is able to withdraw leases; each one also clears a few
// expired slots.
//
// Makes no system calls. The caller owns the mapped memory, which must outlive the publisher. Loop
// thread, the only writer of the map. Layout, sealing and rationale: proto/SHM.md.
#pragma once

#include <memory>

#include "daemon/base/result.h"
#include "daemon/shm/lease_counters.h"
#include "daemon/shm/shared_map.h"
#include "daemon/shm/slot_directory.h"
#include "proto/sealing.h"

namespace claimsd::shm {

class LeasePublisher final : public claims::Publisher {
 public:
  // The map must be blank: from SharedMap::create(), or any memory with such a header. Writes the
  // first heartbeat. `fingerprinter`: with a fleet (slot_directory.h). Fails if libcrypto lacks an
  // algorithm needed for sealing.
  static Result<std::unique_ptr<LeasePublisher>> create(
      MapMemory map, Clock& clock, Random& random, claims::Fingerprinter* fingerprinter = nullptr);

  void publish(claims::UpstreamId upstream, std::string_view token, const claims::TokenKey& key,
               const claims::Entry& entry, const claims::LeaseEnd& end) override;
  BootTime published_until(const claims::TokenKey& key) const override;
  void withdraw(const claims::TokenKey& key) override;
  bool withdraw_token(std::string_view token) override;
  void withdraw_user(claims::UpstreamId upstream, std::string_view user) override;
  void withdraw_token_named(const claims::TokenKey& fingerprint) override;
  void withdraw_user_named(const claims::TokenKey& fingerprint) override;
  void withdraw_all() override;

  // Call every kHeartbeatInterval. After kHeartbeatLimit without a call readers ignore the map.
  void heartbeat();
  // Permanent: readers ignore the map from now on, and nothing is published.
  void stop();

  std::uint64_t slots() const { return directory_.slots(); }
  // Slots in use; expired ones are cleared within a minute.
  std::uint64_t used() const { return directory_.used(); }
  std::uint64_t epoch() const { return epoch_; }
  const LeaseCounters& counters() const { return counters_; }

 private:
  LeasePublisher(MapMemory map, Clock& clock, Random& random, claims::Fingerprinter* fingerprinter);
  bool withdraw_name(std::uint64_t hash);
  void withdraw_users(std::uint64_t hash);
  bool accepts(std::string_view token, const claims::Entry& entry, const claims::LeaseEnd& end,
               const Now& now);
  SlotNumber choose_slot(const proto::SlotSecret& secret, const claims::TokenKey& key,
                         const Now& now);
  bool seal(const proto::SlotSecret& secret, claims::UpstreamId upstream,
            const claims::Entry& entry, const claims::LeaseEnd& end, proto::SlotCopy& slot);
  void clear(SlotNumber slot);
  void clear_ended(const Now& now);

  MapMemory map_;
  Clock& clock_;
  proto::Sealer sealer_;
  SlotDirectory directory_;
  LeaseCounters counters_;
  std::uint64_t publication_ = 0;  // never reset, because nonces are derived from it
  std::uint64_t epoch_ = 0;
  SlotNumber next_to_clear_ = 0;
  bool stopped_ = false;
};

}  // namespace claimsd::shm
