// slot_writer.h: the writing half of the map's seqlock, and the only code that changes a slot.
//
// One writer, any number of readers in other processes who are never waited for. After H.-J. Boehm,
// "Can seqlocks get along with programming language memory models?" (MSPC 2012): payload as relaxed
// atomic words between an odd and an even sequence, with a release fence behind the odd one. A
// reader loads the sequence (acquire), copies the words, fences (acquire), and loads the sequence
// again. A writer killed half way leaves an odd sequence, which no reader believes.
#pragma once

#include "proto/shm_layout.h"

namespace claimsd::daemon {

// Makes the slot show `copy`. Its sequence must be even and greater than any that the slot had.
void write_slot(proto::MapWord* slot, const proto::SlotCopy& copy);

}  // namespace claimsd::daemon
