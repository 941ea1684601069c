#include "daemon/host/descriptor_limit.h"

#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/support/catch.h"

namespace claimsd::host {
namespace {

// The result in a child with these limits; -1 if they cannot be set.
int raised_from(rlim_t soft, rlim_t hard) {
  const pid_t child = fork();
  if (child == 0) {
    const rlimit limit{.rlim_cur = soft, .rlim_max = hard};
    if (setrlimit(RLIMIT_NOFILE, &limit) != 0) _exit(99);
    const std::uint64_t said = raise_descriptor_limit();
    rlimit now{};
    getrlimit(RLIMIT_NOFILE, &now);
    _exit(said != now.rlim_cur || now.rlim_max != hard ? 98 : static_cast<int>(now.rlim_cur / 10));
  }
  int status = 0;
  waitpid(child, &status, 0);
  return WEXITSTATUS(status) * 10;
}

TEST_CASE("the soft limit of file descriptors becomes the hard one") {
  CHECK(raised_from(100, 300) == 300);
  CHECK(raised_from(300, 300) == 300);
}

}  // namespace
}  // namespace claimsd::host
