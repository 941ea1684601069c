// credential_watch.h: an Auth API's TLS credentials as they are in effect, and when a change of
// their files is taken over.
//
// Files are written in several steps: one after the other, or the same one in parts. So a change
// counts when look() has found the files as they are twice in a row; then they are read as a whole,
// and taken over if they can be used. What cannot leaves in effect what was, and is told once.
// Owned by the Fetcher; its thread.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "daemon/claims/parse/token.h"
#include "daemon/upstream/credential_files.h"

namespace claimsd::daemon {

// What became of a look at the files, for whoever shows and logs it.
struct CredentialReport {
  UpstreamId upstream = 0;
  bool is_first = false;  // as found at start
  std::string trouble;    // "": they are in effect; else why the old ones still are
  std::optional<WallTime> certificate_end;  // of what is in effect; none: no client certificate
};

class CredentialWatch {
 public:
  // Reads them; an error where they cannot be used.
  static Result<std::unique_ptr<CredentialWatch>> create(const UpstreamSettings& settings);

  const std::shared_ptr<const TlsCredentials>& current() const { return current_; }
  // Something to tell, mostly that current() is another one; none mostly.
  std::optional<CredentialReport> look();
  CredentialReport report() const;

 private:
  explicit CredentialWatch(UpstreamSettings settings) : settings_(std::move(settings)) {}

  UpstreamSettings settings_;
  std::shared_ptr<const TlsCredentials> current_;
  FileMarks seen_{};     // at the last look
  FileMarks judged_{};   // when they were last taken over, or found to be of no use
  std::string trouble_;  // with them; "": current_ is what they hold
};

}  // namespace claimsd::daemon
