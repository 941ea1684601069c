// map_writer.h: a map of leases as a daemon publishes it, in the hands of a test: everything in it
// can be set, and set wrongly.
//
// Owns the memfd and its writable mapping. One writer thread at a time. Errors throw.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "proto/sealing.h"

namespace claimsd::testing {

inline constexpr std::uint64_t kSecond = 1'000'000'000;

std::uint64_t boot_now();  // ns
std::uint64_t wall_now();

// What a test may want to be otherwise.
struct MapOptions {
  std::uint64_t slots = proto::kMinSlots;
  std::uint16_t upstream = 7;
  int seals = -1;          // all that a daemon sets
  std::int64_t extra = 0;  // bytes of the file beyond what its header says
};

struct LeaseOptions {
  std::uint64_t confirmed_at = boot_now();
  std::uint64_t lease_end = boot_now() + 60 * kSecond;
  std::uint64_t hard_end = proto::kNoHardEnd;
  std::uint16_t upstream = 7;
  std::uint64_t epoch_ahead = 0;  // of the header's
  int said_upstream = -1;         // in the slot, if it is to be another than in the key
};

class MapWriter {
 public:
  using Options = MapOptions;
  using LeaseWords = LeaseOptions;

  explicit MapWriter(const Options& options = {});
  MapWriter(const MapWriter&) = delete;
  MapWriter& operator=(const MapWriter&) = delete;
  ~MapWriter();

  int fd() const { return fd_; }  // read-only; the writer's own
  std::uint16_t upstream() const { return options_.upstream; }
  proto::MapHeader& header() { return *reinterpret_cast<proto::MapHeader*>(base_); }
  char* bytes() { return base_; }
  std::size_t size() const { return size_; }

  void beat() { header().heartbeat.store(boot_now()); }

  // Seals the claims into the first way of the token's set that is free or its own, else into the
  // first. Maps are random: where more than four tokens are published some may push out others.
  void publish(std::string_view token, std::string_view claims, const LeaseOptions& lease = {});
  // Overwrites the token's slot, as a purge or revocation does.
  void revoke(std::string_view token);
  // The token's slot, to be tampered with. Null if it was not published.
  proto::MapWord* slot_of(std::string_view token);

 private:
  void write(proto::MapWord* slot, const proto::SlotCopy& copy);

  Options options_;
  int fd_ = -1;
  std::size_t size_ = 0;
  char* base_ = nullptr;
  proto::Sealer sealer_;
  proto::MapId id_{};  // as it is, whatever a test does to the header
  std::uint64_t publications_ = 0;
};

}  // namespace claimsd::testing
