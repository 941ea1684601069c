// slot_writer.h: the writer side of the map's seqlock, and the only code that changes a slot.
//
// One writer; readers in other processes never block it. After H.-J. Boehm, "Can seqlocks get along
// with programming language memory models?" (MSPC 2012): the payload is written as relaxed atomic
// words between an odd and an even sequence, with a release fence after the odd one. A reader loads
// the sequence (acquire), copies the words, fences (acquire), and loads the sequence again. A
// writer killed midway leaves an odd sequence, which every reader rejects.
#pragma once

#include "proto/shm_layout.h"

namespace claimsd::shm {

// Writes `copy` to the slot. Its sequence must be even and greater than any the slot has had.
void write_slot(proto::MapWord* slot, const proto::SlotCopy& copy);

}  // namespace claimsd::shm
