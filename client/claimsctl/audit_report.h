// audit_report.h: a page for a security officer: what was refused, to whom, by which process, when.
// Flat in memory but for one count each user and peer, which are bounded. Pure but for Output.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <string>

#include "client/claimsctl/output.h"
#include "daemon/audit/record.h"

namespace claimsd::ctl {

class AuditReport {
 public:
  void add(const daemon::AuditRecord& record);
  void show(Output& output) const;
  void show_json(Output& output) const;

 private:
  using Counts = std::map<std::string, std::uint64_t>;
  static void count(Counts& counts, const std::string& name, std::uint64_t more);
  static std::vector<std::pair<std::string, std::uint64_t>> sorted(const Counts& counts);
  void show_counts(Output& output, std::string_view title, const Counts& counts) const;

  std::uint64_t records_ = 0;
  std::uint64_t events_ = 0;
  std::uint64_t refusals_ = 0;
  std::uint64_t missing_ = 0;  // that gaps stand for
  daemon::WallTime first_{};
  daemon::WallTime last_{};
  Counts events_by_name_;
  Counts reasons_;
  Counts users_;
  Counts peers_;
  std::array<std::uint64_t, 24> hours_{};  // of the day, UTC
};

}  // namespace claimsd::ctl
