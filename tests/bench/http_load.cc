#include "tests/bench/http_load.h"

#include <fmt/core.h>
#include <sys/mman.h>

#include <cerrno>
#include <chrono>
#include <cstring>
#include <thread>
#include <utility>
#include <vector>

#include "tests/bench/http_check.h"
#include "tests/bench/regime.h"

namespace claimsd::bench {
namespace {

constexpr std::size_t kLines = 4;

Result<std::vector<HttpLine>> connect_all(const std::string& socket, const std::string& path) {
  std::vector<HttpLine> lines;
  for (std::size_t i = 0; i < kLines; ++i) lines.push_back(TRY(HttpLine::connect(socket, path)));
  return lines;
}

// One request on each connection.
Status wave(std::vector<HttpLine>& lines) {
  for (const HttpLine& line : lines) TRY(line.send());
  for (HttpLine& line : lines) TRY(line.receive());
  return {};
}

}  // namespace

void HttpLoad::Unmap::operator()(Shared* shared) const {
  ::munmap(shared, sizeof *shared);
}

Result<HttpLoad> HttpLoad::start(const std::string& first, const std::string& second,
                                 const std::string& path, unsigned per_second, int core) {
  void* const memory =
      ::mmap(nullptr, sizeof(Shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED)
    return failure(fmt::format("cannot map a shared page: {}", std::strerror(errno)));
  std::unique_ptr<Shared, Unmap> shared(std::construct_at(static_cast<Shared*>(memory)));
  std::vector<HttpLine> lines[] = { TRY(connect_all(first, path)), TRY(connect_all(second, path)) };
  const std::chrono::nanoseconds pause(std::chrono::seconds(1) * kLines / per_second);
  Process process = TRY(Process::fork_off("load", [&] {
    if (!pin_to(core)) return 1;
    auto next = std::chrono::steady_clock::now();
    for (;;) {
      if (!wave(lines[shared->at_second ? 1 : 0])) return 1;
      next = std::max(next + pause, std::chrono::steady_clock::now() - pause);
      std::this_thread::sleep_until(next);
    }
  }));
  return HttpLoad(std::move(shared), std::move(process));
}

}  // namespace claimsd::bench
