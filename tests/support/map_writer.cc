#include "tests/support/map_writer.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#include <stdexcept>

namespace claimsd::testing {
namespace {

std::uint64_t read_clock(clockid_t clock) {
  timespec now{};
  clock_gettime(clock, &now);
  return static_cast<std::uint64_t>(now.tv_sec) * kSecond + static_cast<std::uint64_t>(now.tv_nsec);
}

void require(bool held, const char* what) {
  if (!held) throw std::runtime_error(what);
}

constexpr int kDaemonSeals = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_FUTURE_WRITE | F_SEAL_SEAL;

}  // namespace

std::uint64_t boot_now() {
  return read_clock(CLOCK_BOOTTIME);
}

std::uint64_t wall_now() {
  return read_clock(CLOCK_REALTIME);
}

MapWriter::MapWriter(const Options& options)
    : options_(options), size_(proto::map_size(options.slots)) {
  const int writable = memfd_create("test map", MFD_CLOEXEC | MFD_ALLOW_SEALING);
  const auto file_size = static_cast<off_t>(size_) + options.extra;
  require(writable >= 0 && ftruncate(writable, file_size) == 0, "memfd");
  if (file_size < static_cast<off_t>(size_)) size_ = static_cast<std::size_t>(file_size);
  void* const base = mmap(nullptr, size_, PROT_READ | PROT_WRITE, MAP_SHARED, writable, 0);
  require(base != MAP_FAILED, "mmap");
  base_ = static_cast<char*>(base);
  const int seals = options.seals < 0 ? kDaemonSeals : options.seals;
  require(fcntl(writable, F_ADD_SEALS, seals) == 0, "seals");
  const std::string path = "/proc/self/fd/" + std::to_string(writable);
  fd_ = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  require(fd_ >= 0, "reopening");
  close(writable);

  header().magic = proto::kMapMagic;
  header().version = proto::kMapVersion;
  header().slot_size = proto::kSlotSize;
  header().slot_count = options.slots;
  require(getrandom(header().map_id.data(), sizeof header().map_id, 0) == sizeof header().map_id,
          "random");
  id_ = header().map_id;
  header().epoch.store(1);
  beat();
  require(sealer_.open(), "libcrypto");
}

MapWriter::~MapWriter() {
  munmap(base_, size_);
  close(fd_);
}

void MapWriter::publish(std::string_view token, std::string_view claims,
                        const LeaseOptions& lease) {
  proto::SlotSecret secret;
  require(sealer_.derive(id_, lease.upstream, token, secret), "derive");
  proto::SlotCopy copy{};
  copy.words[proto::kSlotSequence] = 2 * ++publications_;
  copy.words[proto::kSlotIndex] = secret.index[0];
  copy.words[proto::kSlotIndex + 1] = secret.index[1];
  copy.words[proto::kSlotConfirmedAt] = lease.confirmed_at;
  copy.words[proto::kSlotLeaseEnd] = lease.lease_end;
  copy.words[proto::kSlotHardEnd] = lease.hard_end;
  copy.words[proto::kSlotEpoch] = header().epoch.load() + lease.epoch_ahead;
  copy.words[proto::kSlotMeta] = proto::pack(
      {static_cast<std::uint32_t>(claims.size()),
       lease.said_upstream < 0 ? lease.upstream : static_cast<std::uint16_t>(lease.said_upstream),
       0});
  require(sealer_.seal(secret, claims, copy), "seal");
  auto* const slots = reinterpret_cast<proto::MapWord*>(base_ + proto::kMapHeaderSize);
  const std::uint64_t first = proto::first_slot_of(secret.index[0], options_.slots);
  std::uint64_t place = first;
  for (std::uint64_t way = 0; way < proto::kWays; ++way) {
    const std::uint64_t there = slots[(first + way) * proto::kSlotWords + proto::kSlotIndex].load();
    if (there != 0 && there != secret.index[0]) continue;
    place = first + way;
    break;
  }
  write(slots + place * proto::kSlotWords, copy);
}

// Boehm's seqlock writer, with release stores instead of a fence: a reader that sees any of these
// words also sees the odd sequence before them.
void MapWriter::write(proto::MapWord* slot, const proto::SlotCopy& copy) {
  slot[proto::kSlotSequence].store(copy.words[proto::kSlotSequence] - 1);
  for (std::size_t i = 1; i < proto::kSlotWords; ++i) {
    slot[i].store(copy.words[i], std::memory_order_release);
  }
  slot[proto::kSlotSequence].store(copy.words[proto::kSlotSequence], std::memory_order_release);
}

void MapWriter::revoke(std::string_view token) {
  proto::MapWord* const slot = slot_of(token);
  require(slot != nullptr, "not published");
  proto::SlotCopy empty{};
  empty.words[proto::kSlotSequence] = 2 * ++publications_;
  write(slot, empty);
}

proto::MapWord* MapWriter::slot_of(std::string_view token) {
  proto::SlotSecret secret;
  require(sealer_.derive(id_, options_.upstream, token, secret), "derive");
  auto* const slots = reinterpret_cast<proto::MapWord*>(base_ + proto::kMapHeaderSize);
  const std::uint64_t first = proto::first_slot_of(secret.index[0], options_.slots);
  for (std::uint64_t way = 0; way < proto::kWays; ++way) {
    proto::MapWord* const slot = slots + (first + way) * proto::kSlotWords;
    if (slot[proto::kSlotIndex].load() == secret.index[0]) return slot;
  }
  return nullptr;
}

}  // namespace claimsd::testing
