#include "daemon/sandbox/process_hardening.h"

#include <errno.h>
#include <fmt/core.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>

namespace claimsd::daemon {
namespace {

tl::unexpected<Error> refused(const char* what) {
  return failure(
      fmt::format("cannot {}: {}: other processes could read tokens from this one, so it does not "
                  "start; check which container or kernel setting forbids it",
                  what, strerrordesc_np(errno)));
}

}  // namespace

Status harden_process() {
  umask(077);
  const rlimit none{};
  if (setrlimit(RLIMIT_CORE, &none) != 0) return refused("set the core dump limit to zero");
  if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0) return refused("make the process undumpable");
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return refused("set no_new_privs");
  return {};
}

}  // namespace claimsd::daemon
