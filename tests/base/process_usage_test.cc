#include "daemon/base/process_usage.h"

#include <fcntl.h>

#include <vector>

#include "daemon/base/fd.h"
#include "tests/support/catch.h"

namespace claimsd {
namespace {

TEST_CASE("the usage matches the resources the process has taken") {
  const auto before = read_process_usage();
  std::vector<Fd> opened;
  for (int i = 0; i < 5; ++i) opened.emplace_back(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  const std::vector<char> memory(std::size_t{32} << 20, 'x');
  const auto after = read_process_usage();
  CHECK(after.open_descriptors == before.open_descriptors + 5);
  CHECK(after.resident_bytes >= before.resident_bytes + memory.size() / 2);
  CHECK(after.virtual_bytes > after.resident_bytes);
  CHECK(after.cpu >= before.cpu);
  CHECK(after.threads >= 1);
  CHECK(after.max_descriptors > 5);
}

}  // namespace
}  // namespace claimsd
