// credential_watch.h: the credentials in effect for one Auth API, and when changed files replace
// them. Owned by the Fetcher; fetch thread.
//
// Files are written in steps: one after another, or one file in parts. So a change counts only when
// two look() calls in a row find the same state. Then all files are read, and take effect if they
// are usable. Otherwise the previous credentials stay in effect, and the error is reported once.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "daemon/claims/parse/token.h"
#include "daemon/upstream/credential_files.h"

namespace claimsd::upstream {

// The result of a look at the files, for status and log.
struct CredentialReport {
  claims::UpstreamId upstream = 0;
  bool is_first = false;                    // the first report, made at start
  std::string error;                        // "": files in effect; else why the old ones still are
  std::optional<WallTime> certificate_end;  // of the client certificate; none: there is none
};

class CredentialWatch {
 public:
  // Reads the files. An error if they are unusable.
  static Result<std::unique_ptr<CredentialWatch>> create(const UpstreamSettings& settings);

  const std::shared_ptr<const Credentials>& current() const { return current_; }
  // A change to report, usually that current() was replaced. Usually none.
  std::optional<CredentialReport> look();
  CredentialReport report() const;

 private:
  explicit CredentialWatch(UpstreamSettings settings) : settings_(std::move(settings)) {}

  UpstreamSettings settings_;
  std::shared_ptr<const Credentials> current_;
  FileMarks seen_{};    // by the latest look
  FileMarks judged_{};  // when they last took effect or were found unusable
  std::string error_;   // their error; "": current_ is what they hold
};

}  // namespace claimsd::upstream
