// map_writer.h: a lease map like the daemon's, in which a test can set everything, including
// invalid values.
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

// What a test may change. The defaults give a correct map.
struct MapOptions {
  std::uint64_t slots = proto::kMinSlots;
  std::uint16_t upstream = 7;
  int seals = -1;          // -1: all that a daemon sets
  std::int64_t extra = 0;  // file size minus the size in the header, bytes
};

struct LeaseOptions {
  std::uint64_t confirmed_at = boot_now();
  std::uint64_t lease_end = boot_now() + 60 * kSecond;
  std::uint64_t hard_end = proto::kNoHardEnd;
  std::uint16_t upstream = 7;
  std::uint64_t epoch_ahead = 0;  // added to the header's epoch
  int said_upstream = -1;         // written to the slot; -1: the one in the key
};

class MapWriter {
 public:
  using Options = MapOptions;
  using LeaseWords = LeaseOptions;

  explicit MapWriter(const Options& options = {});
  MapWriter(const MapWriter&) = delete;
  MapWriter& operator=(const MapWriter&) = delete;
  ~MapWriter();

  int fd() const { return fd_; }  // read-only; owned by the writer
  std::uint16_t upstream() const { return options_.upstream; }
  proto::MapHeader& header() { return *reinterpret_cast<proto::MapHeader*>(base_); }
  char* bytes() { return base_; }
  std::size_t size() const { return size_; }

  void beat() { header().heartbeat.store(boot_now()); }

  // Seals the claims into the first way of the token's set that is free or already holds the token,
  // else into the first way. Maps are random: beyond four tokens, some may evict others.
  void publish(std::string_view token, std::string_view claims, const LeaseOptions& lease = {});
  // Overwrites the token's slot, as a purge or revocation does.
  void revoke(std::string_view token);
  // The token's slot, for tampering. Null if the token was not published.
  proto::MapWord* slot_of(std::string_view token);

 private:
  void write(proto::MapWord* slot, const proto::SlotCopy& copy);

  Options options_;
  int fd_ = -1;
  std::size_t size_ = 0;
  char* base_ = nullptr;
  proto::Sealer sealer_;
  proto::MapId id_{};  // the original, even if a test changes the header
  std::uint64_t publications_ = 0;
};

}  // namespace claimsd::testing
