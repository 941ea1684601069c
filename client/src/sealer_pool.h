// sealer_pool.h: opened Sealers for whoever looks into the map, one thread at a time each.
//
// A thread tries its own place first (by its thread pointer: the library may not have thread-local
// storage), so that threads rarely meet in one cache line. libcrypto's objects are fetched when a
// place is first used. abandon() in a forked child leaves those behind that a thread of the parent
// was using.
//
// exit(3) tears libcrypto down while other threads still run (OPENSSL_cleanup(3)). From then on no
// place is given out, and the objects are left as they are.
#pragma once

#include <atomic>
#include <cstddef>

#include "proto/sealing.h"

namespace claimsd::client_impl {

class SealerPool {
 public:
  SealerPool() = default;
  ~SealerPool();
  SealerPool(const SealerPool&) = delete;
  SealerPool& operator=(const SealerPool&) = delete;

  class Lease;

  // Hits counted by the places.
  std::uint64_t hits() const;
  void abandon();

 private:
  struct alignas(64) Place {
    std::atomic<bool> taken{false};
    proto::Sealer sealer;
    std::atomic<std::uint64_t> hits{0};  // written by its taker
  };

  Place* take();
  static void leave_behind(proto::Sealer& sealer);

  static constexpr std::size_t kPlaces = 16;
  Place places_[kPlaces];
};

// `get()` is null when all are taken or libcrypto has not what is needed.
class SealerPool::Lease {
 public:
  explicit Lease(SealerPool& pool) : place_(pool.take()) {}
  Lease(const Lease&) = delete;
  Lease& operator=(const Lease&) = delete;
  ~Lease() {
    if (place_ != nullptr) place_->taken.store(false, std::memory_order_release);
  }

  proto::Sealer* get() const { return place_ == nullptr ? nullptr : &place_->sealer; }
  void count_hit() {
    place_->hits.store(place_->hits.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
  }

 private:
  Place* place_;
};

}  // namespace claimsd::client_impl
