// private_directory.h: a directory accessible only to this user and root, and a lock that lets one
// process at a time work in it.
//
// Any thread; blocks on the file system: at startup only.
#pragma once

#include <sys/stat.h>

#include <string>

#include "daemon/base/fd.h"
#include "daemon/base/result.h"
#include "daemon/store/file_rules.h"

namespace claimsd::store {

// Creates the last component of `path` with mode 0700 if missing. Rejects a symbolic link, a
// directory of another user, and one open to group or others. Its mode is not tightened, because
// that could lock out an intended user.
Status ensure_private_directory(const std::string& path);

// Checks the directory of a single secret file, such as /etc: it may be readable, but only this
// user and root may be able to replace files in it. Created with mode 0700 if missing.
Status ensure_guarded_directory(const std::string& path);

// Holds a flock(2) for its lifetime, so a killed process leaves no lock behind.
class DirectoryLock {
 public:
  static Result<DirectoryLock> acquire(const std::string& directory);

 private:
  explicit DirectoryLock(Fd fd) : fd_(std::move(fd)) {}
  Fd fd_;
};

// Converts the result of stat(2) for file_rules.h.
FileFacts file_facts(const struct stat& found);

// For messages: "Permission denied".
std::string errno_text(int error);

}  // namespace claimsd::store
