// audit_report.h: a one-page summary for a security officer: which tokens were rejected, for which
// users and processes, and when.
// Memory is bounded: one counter per user and per peer, up to a limit. Only show() and show_json()
// do I/O.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <string>

#include "client/claimsctl/output.h"
#include "daemon/audit/record.h"

namespace claimsd::claimsctl {

class AuditReport {
 public:
  void add(const audit::Record& record);
  void show(Output& output) const;
  void show_json(Output& output) const;

 private:
  using Counts = std::map<std::string, std::uint64_t>;
  static void count(Counts& counts, const std::string& name, std::uint64_t more);
  static std::vector<std::pair<std::string, std::uint64_t>> sorted(const Counts& counts);
  void show_counts(Output& output, std::string_view title, const Counts& counts) const;

  std::uint64_t records_ = 0;
  std::uint64_t events_ = 0;
  std::uint64_t rejections_ = 0;
  std::uint64_t missing_ = 0;  // records that gaps stand for
  WallTime first_{};
  WallTime last_{};
  Counts events_by_name_;
  Counts reasons_;
  Counts users_;
  Counts peers_;
  std::array<std::uint64_t, 24> hours_{};  // by hour of the day, UTC
};

}  // namespace claimsd::claimsctl
