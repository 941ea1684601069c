// process_hardening.h: what a process that holds tokens gives up before it has read the first one.
//
// Not dumpable (prctl(2), PR_SET_DUMPABLE): no core file and no core handler gets its memory, and
// no process of the same user may attach to it or read it below /proc. No core limit
// (setrlimit(2)), for whoever changes the first. No new privileges. Files that it makes are its own
// alone, whatever umask it was started with. Together with the unit's MemorySwapMax=0 this is what
// keeps tokens that are in memory in memory; secret.h wipes them.
//
// Once, on the main thread, before the first other one.
#pragma once

#include "daemon/base/result.h"

namespace claimsd::daemon {

Status harden_process();

}  // namespace claimsd::daemon
