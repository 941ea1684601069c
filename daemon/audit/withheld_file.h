// withheld_file.h: the number of events that the log could not take and that no gap record names
// yet. Kept in a file that is allocated while there is space, so that it can be written on a full
// disk, and a restart in that state does not forget them. FORMAT.md, "Withheld events".
//
// Owned by AuditLog, used on its thread; blocks on the disk. Without the file, because the disk was
// full from the beginning, a restart forgets the counts.
#pragma once

#include <string>

#include "daemon/audit/intake.h"
#include "daemon/base/fd.h"

namespace claimsd::audit {

class WithheldFile {
 public:
  static constexpr const char* kFile = "withheld";

  explicit WithheldFile(const std::string& directory);

  // The counts that the previous daemon left; none if the file does not hold any.
  Losses read() const;
  // Replaces them durably. Does nothing if they have not changed.
  void save(const Losses& losses);

 private:
  Fd fd_;  // none: the file could not be created
  std::string saved_;
};

}  // namespace claimsd::audit
