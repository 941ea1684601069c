#include "daemon/audit/withheld_file.h"

#include <fcntl.h>
#include <unistd.h>

#include "daemon/audit/codec.h"

namespace claimsd::audit {
namespace {

constexpr std::uint64_t kWithheldVersion = 1;
constexpr std::size_t kCounts = 5 * sizeof(std::uint64_t);
constexpr std::size_t kSize = kCounts + sizeof(std::uint64_t);  // with the check sum

// Detects a write that a crash cut short. Not a protection: the file can be removed as well.
std::uint64_t check_sum(std::string_view bytes) {
  std::uint64_t sum = 0xcbf29ce484222325;  // FNV-1a
  for (const char byte : bytes) sum = (sum ^ static_cast<std::uint8_t>(byte)) * 0x100000001b3;
  return sum;
}

std::string encode(const Losses& losses) {
  std::string bytes;
  Encoder put(bytes);
  put.integer(kWithheldVersion);
  put.integer(losses.denied);
  put.integer(losses.allowed);
  put.integer(losses.first.wall.time_since_epoch().count());
  put.integer(losses.last.time_since_epoch().count());
  put.integer(check_sum(bytes));
  return bytes;
}

bool write_durably(int fd, const std::string& bytes) {
  return pwrite(fd, bytes.data(), bytes.size(), 0) == static_cast<ssize_t>(bytes.size()) &&
         fdatasync(fd) == 0;
}

}  // namespace

WithheldFile::WithheldFile(const std::string& directory) {
  const std::string path = directory + "/" + kFile;
  fd_ = Fd(open(path.c_str(), O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (!fd_) return;
  saved_ = encode(read());
  std::string present(kSize, '\0');
  const ssize_t size = pread(fd_.get(), present.data(), kSize, 0);
  // Takes its block of the disk now.
  if (size != static_cast<ssize_t>(kSize) && !write_durably(fd_.get(), saved_)) fd_.reset();
}

Losses WithheldFile::read() const {
  std::string bytes(kSize, '\0');
  if (!fd_ || pread(fd_.get(), bytes.data(), kSize, 0) != static_cast<ssize_t>(kSize)) return {};
  Decoder take(bytes);
  Losses losses;
  const auto version = take.integer<std::uint64_t>();
  losses.denied = take.integer<std::uint64_t>();
  losses.allowed = take.integer<std::uint64_t>();
  losses.first.wall = WallTime(Duration(take.integer<std::int64_t>()));
  losses.last = WallTime(Duration(take.integer<std::int64_t>()));
  const bool valid = take.integer<std::uint64_t>() == check_sum({bytes.data(), kCounts});
  return valid && version == kWithheldVersion ? losses : Losses();
}

void WithheldFile::save(const Losses& losses) {
  if (!fd_) return;
  std::string bytes = encode(losses);
  if (bytes == saved_ || !write_durably(fd_.get(), bytes)) return;
  saved_ = std::move(bytes);
}

}  // namespace claimsd::audit
