// audit_report.h: a summary for a security officer: which tokens were rejected, which permissions
// were denied, and which lookups had no verdict; for which users and processes, why, and when.
// Memory is bounded: one counter per user and per peer, up to a limit. Only show() and show_json()
// do I/O.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
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
  static void show_counts(Output& output, std::string_view title, const Counts& counts);

  // Why a request was not allowed. An outage is not a rejection.
  enum class Kind : std::uint8_t { kRejected, kDenied, kUnavailable };
  static constexpr std::string_view kKinds[] = {"rejected", "denied", "unavailable"};
  struct Refused {
    std::uint64_t count = 0;
    Counts reasons;
    Counts users;
    Counts peers;
    std::array<std::uint64_t, 24> hours{};  // by hour of the day, UTC
  };
  static std::optional<Kind> kind_of(audit::Event event);
  static void add(Refused& refused, Kind kind, const audit::Record& record);
  static void show(Output& output, std::string_view kind, const Refused& refused);

  std::uint64_t records_ = 0;
  std::uint64_t events_ = 0;
  std::uint64_t missing_ = 0;  // records that gaps stand for
  WallTime first_{};
  WallTime last_{};
  Counts events_by_name_;
  std::array<Refused, 3> refused_;  // by Kind
};

}  // namespace claimsd::claimsctl
