#include "client/claimsctl/audit_report.h"

#include <fmt/core.h>

#include <algorithm>
#include <chrono>
#include <cmath>

#include "daemon/base/json_writer.h"

namespace claimsd::claimsctl {
namespace {

using audit::Event;
using audit::Record;

constexpr std::size_t kMaxNames = 10'000;  // further names are counted as "others"
constexpr std::size_t kShown = 10;
constexpr std::size_t kBar = 30;

std::string bar(std::uint64_t count, std::uint64_t most) {
  const auto wanted =
      most == 0 ? 0
                : static_cast<std::size_t>(
                      std::lround(static_cast<double>(count) / static_cast<double>(most) * kBar));
  std::string text;
  for (std::size_t i = 0; i < std::max<std::size_t>(wanted, count > 0 ? 1 : 0); ++i) text += "█";
  return text;
}

void show_row(Output& output, std::string_view name, std::uint64_t count, std::uint64_t most) {
  output.line(fmt::format("  {:<28} {:>12}  {}", name, count_text(count),
                          output.coloured(Colour::kBad, bar(count, most))));
}

}  // namespace

// What a report of a worker (kUnauthenticated, kReportedUnavailable) tells is in the daemon's own
// record of the lookup, too, so it is not counted twice.
std::optional<AuditReport::Kind> AuditReport::kind_of(Event event) {
  switch (event) {
    case Event::kRejected:
    case Event::kRejectedLocally: return Kind::kRejected;
    case Event::kDenied: return Kind::kDenied;
    case Event::kUnavailable: return Kind::kUnavailable;
    default: return std::nullopt;
  }
}

void AuditReport::count(Counts& counts, const std::string& name, std::uint64_t more) {
  const bool known = counts.size() < kMaxNames || counts.count(name) != 0;
  counts[known ? name : "others"] += more;
}

void AuditReport::add(const Record& record) {
  first_ = records_ == 0 ? record.at.wall : std::min(first_, record.at.wall);
  last_ = records_ == 0 ? record.last : std::max(last_, record.last);
  ++records_;
  events_ += record.count;
  count(events_by_name_, std::string(name_of(record.event)), record.count);
  if (record.event == Event::kGap || record.event == Event::kUnacknowledged)
    missing_ += record.count;
  if (const auto kind = kind_of(record.event))
    add(refused_[static_cast<std::size_t>(*kind)], *kind, record);
}

void AuditReport::add(Refused& refused, Kind kind, const Record& record) {
  refused.count += record.count;
  // A denial for lack of permission carries no verdict on the token.
  const bool denied = kind == Kind::kDenied && record.verdict == 0;
  count(refused.reasons, denied ? "permission denied" : std::string(proto::name_of(record.reason)),
        record.count);
  if (!record.user.empty()) count(refused.users, printable(record.user), record.count);
  const std::string comm = record.peer.comm.empty() ? "various" : printable(record.peer.comm);
  count(refused.peers, fmt::format("uid {} {}", record.peer.uid, comm), record.count);
  const auto hours =
      std::chrono::floor<std::chrono::hours>(record.at.wall.time_since_epoch()).count();
  refused.hours[static_cast<std::size_t>((hours % 24 + 24) % 24)] += record.count;
}

std::vector<std::pair<std::string, std::uint64_t>> AuditReport::sorted(const Counts& counts) {
  std::vector<std::pair<std::string, std::uint64_t>> rows(counts.begin(), counts.end());
  std::stable_sort(rows.begin(), rows.end(),
                   [](const auto& one, const auto& other) { return one.second > other.second; });
  return rows;
}

void AuditReport::show_counts(Output& output, std::string_view title, const Counts& counts) {
  if (counts.empty()) return;
  output.line("");
  output.line(output.coloured(Colour::kStrong, title));
  const auto rows = sorted(counts);
  for (std::size_t i = 0; i < rows.size() && i < kShown; ++i) {
    show_row(output, rows[i].first, rows[i].second, rows.front().second);
  }
  if (rows.size() > kShown) {
    output.line(fmt::format("  and {} more", count_text(rows.size() - kShown)));
  }
}

void AuditReport::show(Output& output, std::string_view kind, const Refused& refused) {
  if (refused.count == 0) return;
  show_counts(output, fmt::format("{} by reason", kind), refused.reasons);
  show_counts(output, fmt::format("{} by user", kind), refused.users);
  show_counts(output, fmt::format("{} by peer", kind), refused.peers);
  output.line("");
  output.line(output.coloured(Colour::kStrong, fmt::format("{} by hour of the day (UTC)", kind)));
  const auto most = *std::max_element(refused.hours.begin(), refused.hours.end());
  for (std::size_t hour = 0; hour < refused.hours.size(); ++hour) {
    show_row(output, fmt::format("{:02}:00", hour), refused.hours[hour], most);
  }
}

void AuditReport::show(Output& output) const {
  if (records_ == 0) {
    output.line("the audit log has no matching records");
    return;
  }
  output.line(output.coloured(Colour::kStrong, "Audit report"));
  output.field("from", audit::audit_time_text(first_));
  output.field("to", audit::audit_time_text(last_));
  output.field("records",
               fmt::format("{}, for {} events", count_text(records_), count_text(events_)));
  const auto counted = [this](Kind kind) {
    return count_text(refused_[static_cast<std::size_t>(kind)].count);
  };
  output.field("rejected", counted(Kind::kRejected) + " tokens: the user had to log in again");
  output.field("denied", counted(Kind::kDenied) + " requests of users without the permission");
  output.field("unavailable", counted(Kind::kUnavailable) + " lookups without a verdict");
  output.field("missing",
               missing_ == 0 ? "none"
                             : output.coloured(Colour::kBad, count_text(missing_) +
                                                                 " events that were not recorded"));
  show(output, "Rejected", refused_[0]);
  show(output, "Denied", refused_[1]);
  show(output, "Unavailable", refused_[2]);
  show_counts(output, "All events", events_by_name_);
}

void AuditReport::show_json(Output& output) const {
  JsonWriter json;
  json.begin_object().member("schema", kOutputSchema).member("records", records_);
  json.member("events", events_).member("missing", missing_);
  json.member("first", audit::audit_time_text(first_));
  json.member("last", audit::audit_time_text(last_));
  const auto counts = [&json](std::string_view name, const Counts& counted) {
    json.key(name).begin_object();
    for (const auto& [what, number] : sorted(counted)) json.member(what, number);
    json.end_object();
  };
  for (std::size_t kind = 0; kind < refused_.size(); ++kind) {
    const Refused& refused = refused_[kind];
    json.key(kKinds[kind]).begin_object().member("count", refused.count);
    counts("by_reason", refused.reasons);
    counts("by_user", refused.users);
    counts("by_peer", refused.peers);
    json.key("by_hour").begin_array();
    for (const std::uint64_t number : refused.hours) json.value(number);
    json.end_array().end_object();
  }
  counts("by_event", events_by_name_);
  output.line(json.end_object().text());
}

}  // namespace claimsd::claimsctl
