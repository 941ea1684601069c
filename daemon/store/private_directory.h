// private_directory.h: a directory that nobody but this user (and root) can look into, and a lock
// that says who works in it.
//
// Any thread; blocks on the file system: at start only.
#pragma once

#include <sys/stat.h>

#include <string>

#include "daemon/base/fd.h"
#include "daemon/base/result.h"
#include "daemon/store/file_rules.h"

namespace claimsd::daemon {

// Makes `path` (its last component) with mode 0700 where it is missing. Refuses one that is a
// symbolic link, belongs to somebody else or is open to group or others: tightening it might cut
// off whoever it was opened for.
Status ensure_private_directory(const std::string& path);

// The same check for the directory of a secret file that may lie among others, as in /etc: it may
// be readable, but nobody else may be able to replace what is in it. Made with mode 0700 where it
// is missing.
Status ensure_guarded_directory(const std::string& path);

// Held for as long as it lives, by flock(2), so a killed process leaves none behind.
class DirectoryLock {
 public:
  static Result<DirectoryLock> acquire(const std::string& directory);

 private:
  explicit DirectoryLock(Fd fd) : fd_(std::move(fd)) {}
  Fd fd_;
};

// What file_rules.h judges, out of what stat(2) said.
FileFacts file_facts(const struct stat& found);

// For messages: "Permission denied".
std::string errno_text(int error);

}  // namespace claimsd::daemon
