// audit_query.h: the options by which the `claimsctl audit` commands select records and find the
// log.
#pragma once

#include <string>
#include <vector>

#include "client/claimsctl/option.h"
#include "client/claimsctl/problem.h"
#include "daemon/audit/search.h"

namespace claimsd::claimsctl {

class AuditFilterOptions {
 public:
  // Where the log is.
  Option directory_option();
  // That, and which records.
  std::vector<Option> all_options();

  const std::string& directory() const { return directory_; }
  // Opens the log directory directly. Only for a directory that no daemon writes to.
  Expected<audit::Reader> open_reader() const;
  // True if records must come from a daemon: one writes to the directory, or this user may not read
  // the directory.
  bool is_live() const;
  // Reads the token from standard input if --token is given.
  Expected<audit::SearchFilter> query(WallTime now) const;

 private:
  std::string directory_ = "/var/lib/claimsd/audit";
  std::string since_;
  std::string until_;
  std::string user_;
  std::string event_;
  std::string verdict_;
  std::string key_file_ = "/var/lib/claimsd/host.key";
  std::uint32_t uid_ = 0;
  bool token_ = false;
  bool user_given_ = false;
  bool uid_given_ = false;
};

// Accepts "2026-11-23", "2026-11-23T15:04:05Z", or an age: "90s", "15m", "2h", "7d". UTC.
std::optional<WallTime> parse_audit_time(std::string_view text, WallTime now);

Problem audit_problem(const Error& error);

}  // namespace claimsd::claimsctl
