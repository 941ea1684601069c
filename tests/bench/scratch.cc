#include "tests/bench/scratch.h"

#include <fmt/core.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <system_error>
#include <utility>

namespace claimsd::bench {

namespace fs = std::filesystem;

Result<Scratch> Scratch::make() {
  // In memory like /run/claimsd, so that no contender waits for a disk that others do not use.
  std::error_code ignored;
  const char* chosen = std::getenv("TMPDIR");
  const std::string parent = chosen != nullptr                       ? chosen
                             : fs::is_directory("/dev/shm", ignored) ? "/dev/shm"
                                                                     : "/tmp";
  return below(parent, "set TMPDIR to a writable directory");
}

// On a disk, because in memory every write would be durable at once.
Result<Scratch> Scratch::on_disk() {
  return below("/var/tmp", "make it writable for this user");
}

Result<Scratch> Scratch::below(const std::string& parent, std::string_view hint) {
  std::string folder = parent + "/claimsd-bench-XXXXXX";
  if (::mkdtemp(folder.data()) == nullptr) {
    return failure(fmt::format("cannot create a directory such as {}: {}: {}", folder,
                               std::strerror(errno), hint));
  }
  return Scratch(folder);
}

Scratch::Scratch(Scratch&& other) noexcept : folder_(std::exchange(other.folder_, {})) {}

Scratch::~Scratch() {
  std::error_code ignored;
  if (!folder_.empty()) fs::remove_all(folder_, ignored);
}

std::string Scratch::path(std::string_view name) const {
  return fmt::format("{}/{}", folder_, name);
}

Result<std::string> Scratch::write(std::string_view name, std::string_view text) const {
  std::string file = path(name);
  std::ofstream out(file);
  out << text;
  out.close();
  if (!out) return failure(fmt::format("cannot write {}: {}", file, std::strerror(errno)));
  return file;
}

}  // namespace claimsd::bench
