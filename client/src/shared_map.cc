#include "client/src/shared_map.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstddef>
#include <cstring>

#include "client/src/deadline.h"

namespace claimsd::client_impl {
namespace {

// Farther apart, and the daemon's CLOCK_BOOTTIME is not ours: time_namespaces(7).
constexpr std::uint64_t kMaxClockDifference = std::uint64_t{kNanosPerSecond};

bool same_clock(std::uint64_t daemons) {
  const auto ours = static_cast<std::uint64_t>(boot_time_ns());
  return (ours > daemons ? ours - daemons : daemons - ours) <= kMaxClockDifference;
}

// A map that could shrink would kill whoever reads it (SIGBUS); one that somebody else could write
// could be kept from saying that a token was revoked.
bool is_sealed(int fd) {
  const int seals = fcntl(fd, F_GET_SEALS);
  constexpr int kSize = F_SEAL_SHRINK | F_SEAL_GROW;
  return seals >= 0 && (seals & kSize) == kSize &&
         (seals & (F_SEAL_FUTURE_WRITE | F_SEAL_WRITE)) != 0;
}

// mmap(2), in the place of what is mapped at `at`, or wherever there is room if that is null. The
// system call itself: readers go on meanwhile, find the old pages or the new ones, and know by the
// generation which. To ThreadSanitizer mmap() would be a write to all of them.
void* replace(void* at, std::size_t size, int flags, int fd) {
  const int fixed = at == nullptr ? 0 : MAP_FIXED;
  const long placed = syscall(SYS_mmap, at, size, PROT_READ, flags | fixed, fd, 0L);
  void* address;
  static_assert(sizeof address == sizeof placed);
  std::memcpy(&address, &placed, sizeof address);  // -1 is MAP_FAILED
  return address;
}

// The header is read out of the file, once, before anything is mapped. The boot id in it is not
// looked at: the socket, and so whoever sent the descriptor, is of this boot.
bool read_header(int fd, proto::MapHeader& header) {
  return pread(fd, static_cast<void*>(&header), sizeof header, 0) ==
             static_cast<ssize_t>(sizeof header) &&
         header.magic == proto::kMapMagic && header.version == proto::kMapVersion &&
         header.slot_size == proto::kSlotSize && proto::is_valid_slot_count(header.slot_count);
}

bool has_size(int fd, std::size_t size) {
  struct stat file {};
  return fstat(fd, &file) == 0 && file.st_size == static_cast<off_t>(size);
}

}  // namespace

SharedMap::~SharedMap() {
  for (std::size_t i = 0; i < place_count_; ++i) munmap(places_[i].at, places_[i].size);
}

void SharedMap::welcome(const proto::Welcome& welcome, OwnedFd map) {
  const Locked locked(mutex_);
  if ((welcome.features & proto::kFeatureSharedMap) == 0) {
    // A daemon without a map: whatever we have is of one that has gone.
    drop();
    state_ = MapState::kNotGranted;
    return;
  }
  Candidate candidate;
  MapState state = check(welcome, map, candidate);
  if (state == MapState::kInUse && !is_current(candidate)) state = take_in(candidate, map);
  const bool has_one = (generation_.load(std::memory_order_relaxed) & 1) == 0;
  state_ = has_one ? MapState::kInUse : state;
}

MapState SharedMap::check(const proto::Welcome& welcome, const OwnedFd& map, Candidate& found) {
  if (!map) return MapState::kNoDescriptor;
  if (!same_clock(welcome.boot_time_ns)) return MapState::kOtherClock;
  if (!is_sealed(map.get())) return MapState::kNotSealed;
  proto::MapHeader header{};
  if (!read_header(map.get(), header) || !has_size(map.get(), proto::map_size(header.slot_count))) {
    return MapState::kUnknownLayout;
  }
  found = {.id = header.map_id,
           .slot_count = header.slot_count,
           .heartbeat = header.heartbeat.load(std::memory_order_relaxed),
           .upstream = welcome.upstream_id};
  return MapState::kInUse;
}

bool SharedMap::is_current(const Candidate& candidate) const {
  MapView view;
  return look(view) && view.id == candidate.id && view.slot_count == candidate.slot_count &&
         view.upstream == candidate.upstream;
}

MapState SharedMap::take_in(const Candidate& candidate, const OwnedFd& map) {
  MapView view;
  const bool has_one = look(view);
  // The greeting of a daemon that has gone, heard late, must not put its map in the place of its
  // successor's.
  if (has_one && view.id != candidate.id &&
      candidate.heartbeat < view.header->heartbeat.load(std::memory_order_acquire)) {
    return MapState::kOutdated;
  }
  const std::uint64_t before = generation_.load(std::memory_order_relaxed);
  generation_.store(before | 1, std::memory_order_seq_cst);
  char* const base = place(proto::map_size(candidate.slot_count), map);
  if (base == nullptr) return MapState::kNoMemory;
  std::uint64_t id[2];
  std::memcpy(id, candidate.id.data(), sizeof id);
  base_.store(base, std::memory_order_release);
  slot_count_.store(candidate.slot_count, std::memory_order_release);
  upstream_.store(candidate.upstream, std::memory_order_release);
  id_[0].store(id[0], std::memory_order_release);
  id_[1].store(id[1], std::memory_order_release);
  generation_.store((before | 1) + 1, std::memory_order_seq_cst);
  taken_.store(taken_.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
  return MapState::kInUse;
}

// Maps it where the last one lay if it fits there, else in a new place. Null when there is no
// memory: then no map is in use, and the places hold what nobody looks at.
char* SharedMap::place(std::size_t size, const OwnedFd& map) {
  Place* last = place_count_ == 0 ? nullptr : &places_[place_count_ - 1];
  const bool fits = last != nullptr && size <= last->size;
  if (!fits && place_count_ == kMaxPlaces) return nullptr;  // not to be: sizes are powers of two
  void* const wanted = fits ? last->at : nullptr;
  void* const at = replace(wanted, size, MAP_SHARED, map.get());
  if (at == MAP_FAILED) return nullptr;
  madvise(at, size, MADV_DONTDUMP);  // there is nothing in it to look for
  // What no map covers any more is zeros, not the rest of an old one.
  const std::size_t kept = fits ? size : 0;
  if (last != nullptr && kept < last->size) {
    (void)replace(last->at + kept, last->size - kept, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE,
                  -1);
  }
  if (!fits) places_[place_count_++] = {static_cast<char*>(at), size};
  return static_cast<char*>(at);
}

void SharedMap::drop() {
  generation_.store(generation_.load(std::memory_order_relaxed) | 1, std::memory_order_seq_cst);
}

void SharedMap::forget() {
  const Locked locked(mutex_);
  drop();
  state_ = MapState::kNotAsked;
}

void SharedMap::abandon() {
  mutex_.renew();
}

}  // namespace claimsd::client_impl
