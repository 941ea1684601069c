#include "daemon/shm/shared_map.h"

#include <errno.h>
#include <fcntl.h>
#include <fmt/core.h>
#include <string.h>  // strerrordesc_np(3)
#include <sys/mman.h>
#include <sys/stat.h>

#include <new>

namespace claimsd::daemon {
namespace {

constexpr int kSeals = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_FUTURE_WRITE | F_SEAL_SEAL;

// memfd_create(2) since Linux 6.3. Hardened hosts require it (vm.memfd_noexec = 2).
constexpr unsigned kNoExec = 0x8;

Fd create_memfd() {
  constexpr const char* kName = "claimsd-leases";
  Fd made(memfd_create(kName, MFD_CLOEXEC | MFD_ALLOW_SEALING | kNoExec));
  if (!made && errno == EINVAL) made = Fd(memfd_create(kName, MFD_CLOEXEC | MFD_ALLOW_SEALING));
  return made;
}

tl::unexpected<Error> trouble(std::string_view what, std::string_view hint) {
  const int error = errno;
  return failure(fmt::format("cannot create the shared map of leases: {}: {}: {}", what,
                             strerrordesc_np(error), hint));
}

Status reserve(int fd, std::size_t size) {
  int done = 0;
  do {
    done = fallocate(fd, 0, 0, static_cast<off_t>(size));
  } while (done != 0 && errno == EINTR);
  if (done == 0) return {};
  return trouble(fmt::format("it needs {} KiB of memory", size / 1024),
                 "lower cache.map_slots or raise the service's MemoryMax");
}

// From here on no process that receives a descriptor can change the map or get a writable
// descriptor.
Status close_to_others(int fd) {
  if (fcntl(fd, F_ADD_SEALS, kSeals) != 0)
    return trouble("it cannot be sealed", "this needs Linux 5.1 or newer");
  if (fchmod(fd, S_IRUSR) != 0) return trouble("its mode cannot be set", "check the kernel's log");
  return {};
}

Result<Fd> reopen_read_only(int fd) {
  Fd descriptor(
      ::open(fmt::format("/proc/self/fd/{}", fd).c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY));
  if (!descriptor) return trouble("it cannot be opened read-only", "mount /proc");
  return descriptor;
}

}  // namespace

void SharedMap::Unmap::operator()(void* at) const {
  munmap(at, size);
}

Result<SharedMap::Mapping> SharedMap::map(int fd, std::size_t size) {
  void* const at = mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  if (at == MAP_FAILED)
    return trouble("it cannot be mapped", "raise the address space limit (ulimit -v)");
  Mapping mapping(at, Unmap{size});
  if (madvise(at, size, MADV_DONTDUMP) != 0)
    return trouble("it cannot be kept out of core dumps", "check the kernel's log");
  return mapping;
}

Result<SharedMap> SharedMap::create(std::uint64_t slots, const proto::MapId& map_id,
                                    const BootId& boot_id) {
  if (!proto::is_valid_slot_count(slots)) {
    return failure(
        fmt::format("cannot create a shared map of {} slots: choose a power of two from {} to {}",
                    slots, proto::kMinSlots, proto::kMaxSlots));
  }
  const std::size_t size = proto::map_size(slots);
  const Fd writable = create_memfd();
  if (!writable)
    return trouble("memfd_create(2) failed", "check the limits of memory and open files");
  TRY(reserve(writable.get(), size));
  Mapping mapping = TRY(map(writable.get(), size));
  TRY(close_to_others(writable.get()));
  Fd readable = TRY(reopen_read_only(writable.get()));
  SharedMap made(std::move(mapping), std::move(readable));
  proto::MapHeader* const header = new (made.mapping_.get()) proto::MapHeader{};
  header->magic = proto::kMapMagic;
  header->version = proto::kMapVersion;
  header->slot_size = proto::kSlotSize;
  header->slot_count = slots;
  header->map_id = map_id;
  header->boot_id = boot_id;
  return made;
}

MapMemory SharedMap::memory() const {
  auto* const base = static_cast<std::byte*>(mapping_.get());
  // Zeros are valid atomic words, and the kernel's memory is zeroed.
  return {.header = std::launder(reinterpret_cast<proto::MapHeader*>(base)),
          .slots = reinterpret_cast<proto::MapWord*>(base + proto::kMapHeaderSize)};
}

SharedMap::BootId parse_boot_id(std::string_view text) {
  SharedMap::BootId id{};
  std::size_t digits = 0;
  for (const char c : text) {
    if (c == '-') continue;
    const int value = c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
    if (value < 0 || digits == 2 * id.size()) return {};
    id[digits / 2] = static_cast<std::uint8_t>(id[digits / 2] << 4 | value);
    ++digits;
  }
  return digits == 2 * id.size() ? id : SharedMap::BootId{};
}

}  // namespace claimsd::daemon
