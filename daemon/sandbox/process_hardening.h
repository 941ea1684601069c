// process_hardening.h: protects a process that holds tokens, before it reads the first one. Call
// once, on the main thread, before any other thread starts.
//
// Not dumpable (prctl(2), PR_SET_DUMPABLE): no core file or core handler gets its memory, and no
// process of the same user can attach to it or read it through /proc. Core limit 0 (setrlimit(2)),
// in case the process becomes dumpable again. No new privileges. Umask 077. The unit's
// MemorySwapMax=0 keeps tokens out of swap; secret.h wipes them.
#pragma once

#include "daemon/base/result.h"

namespace claimsd::sandbox {

Status harden_process();

}  // namespace claimsd::sandbox
