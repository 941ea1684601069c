#include "tests/support/memory_scan.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cinttypes>
#include <cstdio>
#include <fstream>
#include <vector>

#include "daemon/base/fd.h"

namespace claimsd {
namespace {

constexpr std::uint64_t kLargest = 64 << 20;
constexpr std::size_t kNotesOfFree = 32;

// Compares the first byte before the rest: under sanitizers, a full comparison at every byte takes
// half a minute.
int count_in(std::string_view bytes, std::string_view masked_secret) {
  const auto first = static_cast<char>(masked_secret.front() ^ kMask);
  const auto same = [](char in_memory, char in_secret) { return (in_memory ^ kMask) == in_secret; };
  int found = 0;
  for (auto at = bytes.find(first); at != std::string_view::npos; at = bytes.find(first, at + 1)) {
    const auto candidate = bytes.substr(at, masked_secret.size());
    if (candidate.size() == masked_secret.size() &&
        std::equal(candidate.begin(), candidate.end(), masked_secret.begin(), same)) {
      ++found;
    }
  }
  return found;
}

struct Range {
  std::uint64_t begin = 0;
  std::uint64_t end = 0;
};

std::vector<Range> writable_ranges() {
  std::vector<Range> ranges;
  std::ifstream maps("/proc/self/maps");
  for (std::string line; std::getline(maps, line);) {
    Range range;
    char flags[5] = {};
    if (std::sscanf(line.c_str(), "%" SCNx64 "-%" SCNx64 " %4s", &range.begin, &range.end, flags) ==
            3 &&
        flags[1] == 'w' && range.end - range.begin <= kLargest) {
      ranges.push_back(range);
    }
  }
  return ranges;
}

// The buffer that memory is copied to. Mapped after the ranges were listed, so that the search does
// not find its own copies.
class Window {
 public:
  Window()
      : at_(::mmap(nullptr, kLargest, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)) {
  }
  ~Window() { ::munmap(at_, kLargest); }
  Window(const Window&) = delete;
  Window& operator=(const Window&) = delete;

  std::string_view read(int memory, const Range& range) {
    const auto got = ::pread(memory, at_, range.end - range.begin, static_cast<off_t>(range.begin));
    return {static_cast<const char*>(at_), got > 0 ? static_cast<std::size_t>(got) : 0};
  }

 private:
  void* at_;
};

}  // namespace

std::string masked(std::string_view text) {
  std::string out(text);
  for (auto& c : out) c = static_cast<char>(c ^ kMask);
  return out;
}

int count_in_memory(std::string_view masked_secret) {
  const Fd memory(::open("/proc/self/mem", O_RDONLY | O_CLOEXEC));
  const auto ranges = writable_ranges();
  if (masked_secret.size() >= 2 * kNotesOfFree) masked_secret.remove_prefix(kNotesOfFree);
  Window window;
  int found = 0;
  for (const auto& range : ranges) {
    found += count_in(window.read(memory.get(), range), masked_secret);
  }
  return found;
}

}  // namespace claimsd
