// credential_files.h: reads the files that hold an Auth API's CA certificates, our credentials and
// the additional request header, and detects when they change. Blocks on the disk: not for the loop
// thread.
#pragma once

#include <sys/types.h>

#include <array>
#include <cstdint>

#include "daemon/crypto/tls_credentials.h"
#include "daemon/upstream/settings.h"

namespace claimsd::upstream {

// Distinguishes one state of a file from another (stat(2)). All zero: the file does not exist.
struct FileMark {
  dev_t device = 0;
  ino_t inode = 0;  // changes when another file is renamed over it
  off_t size = 0;
  std::int64_t modified = 0;  // nanoseconds
  std::int64_t changed = 0;   // inode change time in nanoseconds; cannot be set back
  friend bool operator==(const FileMark&, const FileMark&) = default;
};
using FileMarks = std::array<FileMark, 6>;

// What the files hold. Immutable and shared; any thread.
struct Credentials {
  std::shared_ptr<const crypto::TlsCredentials> tls;
  Secret client_secret;   // for introspection; empty: none
  Secret request_header;  // "Name: value"; empty: none
  // For CURLOPT_PROXYUSERPWD: "user:password", percent-encoded and NUL-terminated; empty: none.
  Secret proxy;
};

bool has_credential_files(const UpstreamSettings& settings);
FileMarks mark_credential_files(const UpstreamSettings& settings);

// The error names the option, the file and the reason.
Result<std::shared_ptr<const Credentials>> read_credentials(const UpstreamSettings& settings);

}  // namespace claimsd::upstream
