#include "client/claimsctl/audit_report.h"

#include <fmt/core.h>

#include <algorithm>
#include <chrono>
#include <cmath>

#include "daemon/base/json_writer.h"

namespace claimsd::ctl {
namespace {

using daemon::AuditEvent;
using daemon::AuditRecord;

constexpr std::size_t kMostNames = 10'000;  // further names are counted as "others"
constexpr std::size_t kShown = 10;
constexpr std::size_t kBar = 30;

bool is_refusal(AuditEvent event) {
  return event == AuditEvent::kRefused || event == AuditEvent::kRefusedLocally ||
         event == AuditEvent::kDenied || event == AuditEvent::kUnavailable;
}

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

void AuditReport::count(Counts& counts, const std::string& name, std::uint64_t more) {
  const bool known = counts.size() < kMostNames || counts.count(name) != 0;
  counts[known ? name : "others"] += more;
}

void AuditReport::add(const AuditRecord& record) {
  first_ = records_ == 0 ? record.at.wall : std::min(first_, record.at.wall);
  last_ = records_ == 0 ? record.last : std::max(last_, record.last);
  ++records_;
  events_ += record.count;
  count(events_by_name_, std::string(name_of(record.event)), record.count);
  if (record.event == AuditEvent::kGap || record.event == AuditEvent::kUnacknowledged)
    missing_ += record.count;
  if (!is_refusal(record.event)) return;
  refusals_ += record.count;
  // A denial for lack of permission carries no verdict on the token.
  const bool denied = record.event == AuditEvent::kDenied && record.verdict == 0;
  count(reasons_, denied ? "permission denied" : std::string(proto::name_of(record.reason)),
        record.count);
  if (!record.user.empty()) count(users_, printable(record.user), record.count);
  const std::string comm = record.peer.comm.empty() ? "various" : printable(record.peer.comm);
  count(peers_, fmt::format("uid {} {}", record.peer.uid, comm), record.count);
  const auto hours =
      std::chrono::floor<std::chrono::hours>(record.at.wall.time_since_epoch()).count();
  hours_[static_cast<std::size_t>((hours % 24 + 24) % 24)] += record.count;
}

std::vector<std::pair<std::string, std::uint64_t>> AuditReport::sorted(const Counts& counts) {
  std::vector<std::pair<std::string, std::uint64_t>> rows(counts.begin(), counts.end());
  std::stable_sort(rows.begin(), rows.end(),
                   [](const auto& one, const auto& other) { return one.second > other.second; });
  return rows;
}

void AuditReport::show_counts(Output& output, std::string_view title, const Counts& counts) const {
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

void AuditReport::show(Output& output) const {
  if (records_ == 0) {
    output.line("the audit log has no matching records");
    return;
  }
  output.line(output.coloured(Colour::kStrong, "Audit report"));
  output.field("from", daemon::audit_time_text(first_));
  output.field("to", daemon::audit_time_text(last_));
  output.field("records",
               fmt::format("{}, for {} events", count_text(records_), count_text(events_)));
  output.field("rejected", count_text(refusals_));
  output.field("missing",
               missing_ == 0 ? "none"
                             : output.coloured(Colour::kBad, count_text(missing_) +
                                                                 " events that were not recorded"));
  show_counts(output, "Rejections by reason", reasons_);
  show_counts(output, "Rejections by user", users_);
  show_counts(output, "Rejections by peer", peers_);
  if (refusals_ > 0) {
    output.line("");
    output.line(output.coloured(Colour::kStrong, "Rejections by hour of the day (UTC)"));
    const auto most = *std::max_element(hours_.begin(), hours_.end());
    for (std::size_t hour = 0; hour < hours_.size(); ++hour) {
      show_row(output, fmt::format("{:02}:00", hour), hours_[hour], most);
    }
  }
  show_counts(output, "All events", events_by_name_);
}

void AuditReport::show_json(Output& output) const {
  daemon::JsonWriter json;
  json.begin_object().member("schema", kOutputSchema).member("records", records_);
  json.member("events", events_).member("refusals", refusals_).member("missing", missing_);
  json.member("first", daemon::audit_time_text(first_));
  json.member("last", daemon::audit_time_text(last_));
  const std::pair<std::string_view, const Counts*> all[] = {{"by_event", &events_by_name_},
                                                            {"by_reason", &reasons_},
                                                            {"by_user", &users_},
                                                            {"by_peer", &peers_}};
  for (const auto& [name, counts] : all) {
    json.key(name).begin_object();
    for (const auto& [what, number] : sorted(*counts)) json.member(what, number);
    json.end_object();
  }
  json.key("by_hour").begin_array();
  for (const std::uint64_t number : hours_) json.value(number);
  output.line(json.end_array().end_object().text());
}

}  // namespace claimsd::ctl
