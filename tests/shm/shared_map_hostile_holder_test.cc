// A process of another user with the descriptor tries everything that could change the map for the
// daemon or other readers. Needs root to switch users.
#include <fcntl.h>
#include <fmt/core.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <cstring>
#include <functional>
#include <string>
#include <vector>

#include "tests/shm/publisher_fixture.h"
#include "tests/support/skip.h"

namespace claimsd::shm {
namespace {

using testing::PublisherFixture;

constexpr uid_t kNobody = 65534;
constexpr std::uint64_t kSlots = 64;
constexpr std::size_t kSize = proto::map_size(kSlots);

// Runs in the hostile process with the descriptor. True if the attempt was denied or had no effect;
// the parent also checks that the map is unchanged.
struct Attempt {
  std::string name;
  std::function<bool(int fd)> refused;
};

bool reopen(int fd, int flags) {
  const std::string path = fmt::format("/proc/self/fd/{}", fd);
  const int got = ::open(path.c_str(), flags);
  if (got < 0) return true;
  // However it was opened, it must not be writable.
  return pwrite(got, "x", 1, 0) < 0 && ftruncate(got, 0) != 0 &&
         mmap(nullptr, kSize, PROT_READ | PROT_WRITE, MAP_SHARED, got, 0) == MAP_FAILED;
}

void* map_shared(int fd) {
  return mmap(nullptr, kSize, PROT_READ, MAP_SHARED, fd, 0);
}

bool file_lock(int fd, int command, short type) {
  struct flock lock {};
  lock.l_type = type;
  lock.l_whence = SEEK_SET;
  return fcntl(fd, command, &lock) != 0;
}

std::vector<Attempt> attempts() {
  return {
      {"write", [](int fd) { return write(fd, "x", 1) < 0; }},
      {"pwrite", [](int fd) { return pwrite(fd, "x", 1, 4096) < 0; }},
      {"pwritev2 with RWF_APPEND",
       [](int fd) {
         char byte = 'x';
         const iovec part{&byte, 1};
         return pwritev2(fd, &part, 1, -1, RWF_APPEND) < 0;
       }},
      {"sendfile into it",
       [](int fd) {
         const int zero = ::open("/proc/self/exe", O_RDONLY);
         off_t at = 0;
         return sendfile(fd, zero, &at, 4096) < 0;
       }},
      {"copy_file_range into it",
       [](int fd) {
         off64_t from = 0;
         off64_t to = 4096;
         return copy_file_range(fd, &from, fd, &to, 1024, 0) < 0;
       }},
      {"splice into it",
       [](int fd) {
         int ends[2];
         if (pipe(ends) != 0 || write(ends[1], "x", 1) != 1) return false;
         return splice(ends[0], nullptr, fd, nullptr, 1, 0) < 0;
       }},
      {"ftruncate to nothing", [](int fd) { return ftruncate(fd, 0) != 0; }},
      {"ftruncate to more", [](int fd) { return ftruncate(fd, 2 * kSize) != 0; }},
      {"fallocate more", [](int fd) { return fallocate(fd, 0, 0, 2 * kSize) != 0; }},
      {"fallocate, punch a hole",
       [](int fd) {
         return fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, kSize) != 0;
       }},
      {"fallocate, zero a range",
       [](int fd) { return fallocate(fd, FALLOC_FL_ZERO_RANGE, 0, 4096) != 0; }},
      {"fallocate, collapse a range",
       [](int fd) { return fallocate(fd, FALLOC_FL_COLLAPSE_RANGE, 0, 4096) != 0; }},
      {"map it writable",
       [](int fd) {
         return mmap(nullptr, kSize, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0) == MAP_FAILED;
       }},
      {"make a read-only mapping writable",
       [](int fd) { return mprotect(map_shared(fd), kSize, PROT_READ | PROT_WRITE) != 0; }},
      {"madvise(MADV_REMOVE) a mapping",
       [](int fd) { return madvise(map_shared(fd), kSize, MADV_REMOVE) != 0; }},
      {"write to a private mapping, and to its own memory alone",
       [](int fd) {
         void* const at = mmap(nullptr, kSize, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
         if (at != MAP_FAILED) std::memset(at, 'x', kSize);
         return true;
       }},
      {"write a read-only mapping through /proc/self/mem",
       [](int fd) {
         void* const at = map_shared(fd);
         const int memory = ::open("/proc/self/mem", O_RDWR);
         return memory < 0 || pwrite(memory, "x", 1, reinterpret_cast<off_t>(at)) < 0;
       }},
      {"seal it against reading writers",
       [](int fd) { return fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE) != 0; }},
      {"seal it once more", [](int fd) { return fcntl(fd, F_ADD_SEALS, F_SEAL_SEAL) != 0; }},
      {"open it again for writing", [](int fd) { return reopen(fd, O_RDWR); }},
      {"open it again for writing only", [](int fd) { return reopen(fd, O_WRONLY); }},
      {"open it again, cut to nothing", [](int fd) { return reopen(fd, O_RDWR | O_TRUNC); }},
      {"truncate by path",
       [](int fd) { return truncate(fmt::format("/proc/self/fd/{}", fd).c_str(), 0) != 0; }},
      {"change the mode", [](int fd) { return fchmod(fd, 0666) != 0; }},
      {"change the mode by path",
       [](int fd) { return chmod(fmt::format("/proc/self/fd/{}", fd).c_str(), 0666) != 0; }},
      {"change the owner", [](int fd) { return fchown(fd, kNobody, kNobody) != 0; }},
      {"change the times",
       [](int fd) {
         const timespec times[2] = {{1, 0}, {1, 0}};
         return futimens(fd, times) != 0;
       }},
      {"set an attribute", [](int fd) { return fsetxattr(fd, "user.x", "x", 1, 0) != 0; }},
      {"give it a name",
       [](int fd) {
         return linkat(AT_FDCWD, fmt::format("/proc/self/fd/{}", fd).c_str(), AT_FDCWD,
                       "/dev/shm/claimsd-test-link", AT_SYMLINK_FOLLOW) != 0;
       }},
      {"take a write lock", [](int fd) { return file_lock(fd, F_SETLK, F_WRLCK); }},
      {"take an open file's write lock",
       [](int fd) { return file_lock(fd, F_OFD_SETLK, F_WRLCK); }},
      {"take a lease on it", [](int fd) { return fcntl(fd, F_SETLEASE, F_RDLCK) != 0; }},
      // Granted but harmless: neither side ever locks the map.
      {"take a read lock", [](int fd) { return file_lock(fd, F_SETLK, F_RDLCK), true; }},
      {"flock it", [](int fd) { return flock(fd, LOCK_EX), true; }},
      {"lock it into memory", [](int fd) { return mlock(map_shared(fd), kSize), true; }},
      {"change its status flags",
       [](int fd) { return fcntl(fd, F_SETFL, O_RDWR | O_APPEND), true; }},
      {"write after changing its status flags",
       [](int fd) { return fcntl(fd, F_SETFL, O_APPEND), write(fd, "x", 1) < 0; }},
  };
}

// Runs an attempt as another user in a child process. 0: denied; 1: succeeded; 2: could not be
// tried.
int as_nobody(const Attempt& attempt, int fd) {
  const pid_t child = fork();
  if (child == 0) {
    if (setgid(kNobody) != 0 || setuid(kNobody) != 0) _exit(2);
    _exit(attempt.refused(fd) ? 0 : 1);
  }
  int status = 0;
  waitpid(child, &status, 0);
  // Being killed by the attempt counts as denied.
  return WIFEXITED(status) ? WEXITSTATUS(status) : 0;
}

TEST_CASE(
    "another user with the descriptor can neither write, resize, reseal, reopen nor block the "
    "map") {
  if (!claimsd::test::has_root()) return;
  PublisherFixture fixture(kSlots);
  fixture.publish(1, "user-1");
  const MapMemory map = fixture.map.memory();
  const auto everything = [&] {
    return std::string(reinterpret_cast<const char*>(map.header), kSize);
  };
  REQUIRE(attempts().size() >= 30);
  for (const Attempt& attempt : attempts()) {
    INFO(attempt.name);
    const std::string before = everything();
    struct stat file_before {};
    REQUIRE(fstat(fixture.map.descriptor(), &file_before) == 0);
    CHECK(as_nobody(attempt, fixture.map.descriptor()) == 0);
    CHECK(everything() == before);
    struct stat file_after {};
    REQUIRE(fstat(fixture.map.descriptor(), &file_after) == 0);
    CHECK(file_after.st_size == file_before.st_size);
    CHECK(file_after.st_blocks == file_before.st_blocks);
    CHECK(file_after.st_mode == file_before.st_mode);
    CHECK(file_after.st_uid == file_before.st_uid);
    // The daemon can still publish.
    fixture.publish(1, attempt.name.substr(0, 20));
    CHECK(fixture.find(1));
  }
}

// Proves that the attempts work: a plain memfd is changed by them.
TEST_CASE("the attempts succeed on a memfd without seals and restricted mode") {
  if (!claimsd::test::has_root()) return;
  const Fd plain(memfd_create("plain", MFD_CLOEXEC | MFD_ALLOW_SEALING));
  REQUIRE(ftruncate(plain.get(), kSize) == 0);
  std::size_t succeeded = 0;
  for (const Attempt& attempt : attempts()) succeeded += as_nobody(attempt, plain.get()) == 1;
  CHECK(succeeded >= 15);
  // Read-only is not enough: without mode and seals it can be reopened for writing.
  const Fd open_to_all(memfd_create("open", MFD_CLOEXEC));
  REQUIRE(ftruncate(open_to_all.get(), kSize) == 0);
  REQUIRE(fchmod(open_to_all.get(), 0666) == 0);
  const Fd read_only(
      ::open(fmt::format("/proc/self/fd/{}", open_to_all.get()).c_str(), O_RDONLY | O_CLOEXEC));
  CHECK(as_nobody({"reopen", [](int fd) { return reopen(fd, O_RDWR); }}, read_only.get()) == 1);
}

// Not even the daemon's own user or root can get a second writer.
TEST_CASE("root cannot write the map through its descriptor") {
  const SharedMap map = PublisherFixture::make_map(kSlots);
  CHECK(reopen(map.descriptor(), O_RDWR));
  CHECK(fcntl(map.descriptor(), F_ADD_SEALS, F_SEAL_WRITE) != 0);
}

}  // namespace
}  // namespace claimsd::shm
