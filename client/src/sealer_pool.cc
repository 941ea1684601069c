#include "client/src/sealer_pool.h"

#include <pthread.h>

#include <new>

#include "client/src/cancel_disabled.h"

namespace claimsd::client {
namespace {

// libcrypto may read its configuration when it is first used.
bool open(proto::Sealer& sealer) {
  const CancelDisabled cancel_disabled;
  return sealer.open();
}

}  // namespace

SealerPool::Place* SealerPool::take() {
  // Thread control blocks lie pages apart.
  const std::size_t first = static_cast<std::size_t>(pthread_self()) >> 12;
  for (std::size_t i = 0; i < kPlaces; ++i) {
    Place& place = places_[(first + i) % kPlaces];
    if (place.taken.exchange(true, std::memory_order_acquire)) continue;
    if (place.sealer.is_open() || open(place.sealer)) return &place;
    place.taken.store(false, std::memory_order_release);
    return nullptr;
  }
  return nullptr;
}

std::uint64_t SealerPool::hits() const {
  std::uint64_t sum = 0;
  for (const Place& place : places_) sum += place.hits.load(std::memory_order_relaxed);
  return sum;
}

void SealerPool::abandon() {
  for (Place& place : places_) {
    place.hits.store(0, std::memory_order_relaxed);
    if (!place.taken.load(std::memory_order_acquire)) continue;
    // Made anew over the old one, whose contexts somebody was in the midst of using: two kilobytes
    // that stay.
    new (&place.sealer) proto::Sealer;
    place.taken.store(false, std::memory_order_release);
  }
}

}  // namespace claimsd::client
