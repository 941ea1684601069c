// store_fixture.h: shared by the store tests: a manual clock and a readable log.
#pragma once

#include <sys/resource.h>
#include <sys/stat.h>

#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include "daemon/store/claims_cache.h"
#include "tests/support/scratch_directory.h"

namespace claimsd::store::testing {

using claimsd::testing::ScratchDirectory;

class SetClock final : public Clock {
 public:
  Now now() const override { return {boot, WallTime{}}; }
  BootTime boot{seconds(1000)};
};

class KeptLog final : public Log {
 public:
  void write(LogLevel, std::string_view event, std::string_view sentence, LogFields) override {
    lines.append(event).append(" ").append(sentence).append("\n");
  }
  bool has(std::string_view text) const { return lines.find(text) != std::string::npos; }
  std::size_t count(std::string_view text) const {
    std::size_t found = 0;
    for (auto at = lines.find(text); at != std::string::npos; at = lines.find(text, at + 1))
      ++found;
    return found;
  }
  std::string lines;
};

// Everything needed to open a cache, with defaults that tests override.
struct CacheBench {
  ScratchDirectory dir;
  SystemRandom random;
  SetClock clock;
  KeptLog log;
  std::string host_key = std::string(32, 'k');
  ClaimsCacheOptions options{dir / "cache", std::size_t{16} << 20, "boot-1"};

  Result<std::unique_ptr<LmdbClaimsCache>> try_open() {
    return LmdbClaimsCache::open(options, Secret(host_key), clock, random, log);
  }
  std::unique_ptr<LmdbClaimsCache> open() {
    auto opened = try_open();
    if (!opened) throw std::runtime_error(opened.error().message);
    return std::move(*opened);
  }
  std::string data_path() const { return options.directory + "/claims.mdb"; }
};

// Distributed over the whole key space, like HMACs.
inline claims::TokenKey key_number(std::uint64_t number) {
  claims::TokenKey key;
  std::uint64_t state = number;
  for (std::size_t i = 0; i < key.bytes.size(); i += 8) {  // splitmix64
    std::uint64_t mixed = (state += 0x9e3779b97f4a7c15U);
    mixed = (mixed ^ (mixed >> 30)) * 0xbf58476d1ce4e5b9U;
    mixed = (mixed ^ (mixed >> 27)) * 0x94d049bb133111ebU;
    mixed ^= mixed >> 31;
    std::memcpy(key.bytes.data() + i, &mixed, sizeof mixed);
  }
  return key;
}

inline claims::Entry entry_with(std::string_view claims) {
  claims::Entry entry;
  entry.confirmed_at = BootTime(seconds(11));
  entry.fresh_until = BootTime(seconds(71));
  entry.expires_at = WallTime(seconds(1'900'000'000));
  entry.issued_at = WallTime(seconds(1'800'000'000));
  entry.flags = 5;
  entry.claims = claims;
  return entry;
}

inline std::string read_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

inline void write_file(const std::string& path, std::string_view bytes) {
  std::ofstream(path, std::ios::binary | std::ios::trunc)
      .write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
}

inline mode_t mode_of(const std::string& path) {
  struct stat found {};
  return lstat(path.c_str(), &found) == 0 ? found.st_mode & 07777 : 0;
}

// Simulates a full disk during its lifetime: no file may grow beyond `bytes` (setrlimit(2)).
class FullDisk {
 public:
  explicit FullDisk(rlim_t bytes) : before_(std::signal(SIGXFSZ, SIG_IGN)) {
    getrlimit(RLIMIT_FSIZE, &limit_);
    const rlimit lowered{bytes, limit_.rlim_max};
    if (setrlimit(RLIMIT_FSIZE, &lowered) != 0) std::abort();
  }
  ~FullDisk() {
    setrlimit(RLIMIT_FSIZE, &limit_);
    std::signal(SIGXFSZ, before_);
  }
  FullDisk(const FullDisk&) = delete;
  FullDisk& operator=(const FullDisk&) = delete;

 private:
  rlimit limit_{};
  void (*before_)(int);
};

}  // namespace claimsd::store::testing
