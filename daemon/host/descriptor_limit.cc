#include "daemon/host/descriptor_limit.h"

#include <sys/resource.h>

#include <algorithm>

namespace claimsd::host {

std::uint64_t raise_descriptor_limit() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return 0;
  const rlimit raised{.rlim_cur = std::max<rlim_t>(
                          limit.rlim_cur, std::min<rlim_t>(limit.rlim_max, kMaxDescriptors)),
                      .rlim_max = limit.rlim_max};
  if (raised.rlim_cur != limit.rlim_cur && setrlimit(RLIMIT_NOFILE, &raised) == 0)
    return raised.rlim_cur;
  return limit.rlim_cur;
}

}  // namespace claimsd::host
