// secret.h: finds what a lookup left behind in the memory of its process.
#pragma once

#include <sys/wait.h>
#include <unistd.h>

#include <cstdint>
#include <cstdio>
#include <cstring>

namespace claimsd::testing {

// A secret that is never written down in one piece but where it is meant to be. Another one in each
// test: the daemon's threads in the parent remember what they were asked, and the next child
// inherits that.
inline constexpr unsigned char kMask = 0x5a;
inline constexpr std::size_t kSecretSize = 48;

struct Secret {
  explicit Secret(unsigned number) : number_(number) {
    for (std::size_t i = 0; i < kSecretSize; ++i) bytes[i] = static_cast<char>(masked(i) ^ kMask);
  }
  ~Secret() { wipe(); }
  void wipe() { explicit_bzero(bytes, sizeof bytes); }
  char masked(std::size_t i) const {
    return static_cast<char>(('A' + (i * (7 + number_)) % 53) ^ kMask);
  }

  // How often 16 bytes from its middle lie in [begin, end).
  int count(const volatile char* begin, const volatile char* end) const {
    constexpr std::size_t kFrom = 16;
    constexpr std::size_t kLength = 16;
    int found = 0;
    for (const volatile char* at = begin; at + kLength <= end; ++at) {
      std::size_t same = 0;
      while (same < kLength && static_cast<char>(at[same] ^ kMask) == masked(kFrom + same)) ++same;
      if (same == kLength) ++found;
    }
    return found;
  }

  char bytes[kSecretSize];
  unsigned number_;
};

// How often what is sought (a Secret, or anything that can count itself) lies in this process.
template <class Sought>
int count_in_this_process(const Sought& sought) {
  int found = 0;
  std::FILE* const maps = std::fopen("/proc/self/maps", "r");
  char line[512];
  while (std::fgets(line, sizeof line, maps) != nullptr) {
    std::uintptr_t begin = 0;
    std::uintptr_t end = 0;
    char access[8];
    if (std::sscanf(line, "%lx-%lx %7s", &begin, &end, access) != 3 || access[1] != 'w') continue;
    found += sought.count(reinterpret_cast<const volatile char*>(begin),
                          reinterpret_cast<const volatile char*>(end));
  }
  std::fclose(maps);
  return found;
}

// The daemon's threads stay behind in the parent, so that what the child holds is the client's
// alone.
template <class Child>
int result_of_child(Child&& child) {
  const pid_t pid = fork();
  if (pid == 0) _exit(child());
  int status = -1;
  waitpid(pid, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

}  // namespace claimsd::testing
