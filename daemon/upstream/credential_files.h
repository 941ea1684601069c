// credential_files.h: the files with an Auth API's authorities, client certificate and key: when
// they were last written, and what is in them. Blocks on the disk, so not for the loop.
#pragma once

#include <sys/types.h>

#include <array>
#include <cstdint>

#include "daemon/upstream/settings.h"
#include "daemon/upstream/tls_credentials.h"

namespace claimsd::daemon {

// What tells one state of a file from another (stat(2)); a file that is not there has none.
struct FileMark {
  dev_t device = 0;
  ino_t inode = 0;  // another one after a rename over it
  off_t size = 0;
  std::int64_t modified = 0;  // nanoseconds
  std::int64_t changed = 0;   // of the inode; nobody can set it back
  friend bool operator==(const FileMark&, const FileMark&) = default;
};
using FileMarks = std::array<FileMark, 3>;

bool has_credential_files(const UpstreamSettings& settings);
FileMarks mark_credential_files(const UpstreamSettings& settings);

// The error names option, file and what is wrong with it.
Result<std::shared_ptr<const TlsCredentials>> read_credentials(const UpstreamSettings& settings);

}  // namespace claimsd::daemon
