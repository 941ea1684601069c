#include "client/src/sealer_pool.h"

#include <openssl/crypto.h>
#include <pthread.h>

#include <new>

#include "client/src/cancel_disabled.h"

namespace claimsd::client_impl {
namespace {

// libcrypto may read its configuration when it is first used.
bool open(proto::Sealer& sealer) {
  const CancelDisabled cancel_disabled;
  return sealer.open();
}

// False once exit(3) has torn libcrypto down. A few loads: OPENSSL_init_crypto(3).
bool libcrypto_is_up() {
  return OPENSSL_init_crypto(0, nullptr) == 1;
}

}  // namespace

SealerPool::~SealerPool() {
  if (libcrypto_is_up()) return;
  for (Place& place : places_) leave_behind(place.sealer);
}

// What it holds stays in memory: freeing it would need what is gone, or what a thread uses that
// does not exist here.
void SealerPool::leave_behind(proto::Sealer& sealer) {
  new (&sealer) proto::Sealer;
}

SealerPool::Place* SealerPool::take() {
  if (!libcrypto_is_up()) return nullptr;
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
    leave_behind(place.sealer);  // two kilobytes
    place.taken.store(false, std::memory_order_release);
  }
}

}  // namespace claimsd::client_impl
