#include "daemon/sandbox/process_hardening.h"

#include <errno.h>
#include <fmt/core.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>

namespace claimsd::sandbox {
namespace {

tl::unexpected<Error> refused(const char* what) {
  return failure(
      fmt::format("cannot {}: {}: tokens could be read out of this process, so it does "
                  "not start; look for a container or kernel that forbids it",
                  what, strerrordesc_np(errno)));
}

}  // namespace

Status harden_process() {
  umask(077);
  const rlimit none{};
  if (setrlimit(RLIMIT_CORE, &none) != 0) return refused("set the core limit to zero");
  if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0) return refused("become undumpable");
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return refused("renounce new privileges");
  return {};
}

}  // namespace claimsd::sandbox
