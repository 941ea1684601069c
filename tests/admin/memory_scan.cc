#include "tests/admin/memory_scan.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cinttypes>
#include <cstdio>
#include <fstream>
#include <vector>

#include "daemon/base/fd.h"

namespace claimsd::daemon {
namespace {

constexpr std::uint64_t kLargest = 64 << 20;

bool matches(const char* at, std::string_view masked_secret) {
  for (std::size_t i = 0; i < masked_secret.size(); ++i) {
    if ((at[i] ^ kMask) != masked_secret[i]) return false;
  }
  return true;
}

int count_in(std::string_view bytes, std::string_view masked_secret) {
  int found = 0;
  for (std::size_t i = 0; i + masked_secret.size() <= bytes.size(); ++i) {
    if (matches(&bytes[i], masked_secret)) ++found;
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

// Where the search copies memory to: mapped after the list of ranges was made, so that it does not
// find its own copies.
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
  Window window;
  int found = 0;
  for (const auto& range : ranges) {
    found += count_in(window.read(memory.get(), range), masked_secret);
  }
  return found;
}

}  // namespace claimsd::daemon
