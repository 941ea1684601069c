// Formats a record as one line, for people and grep.
#include <fmt/core.h>

#include <chrono>
#include <iterator>

#include "daemon/audit/record.h"
#include "daemon/base/hex.h"
#include "daemon/base/printable.h"

namespace claimsd::audit {
namespace {

// Quotes a value that would otherwise be ambiguous.
void add(std::string& line, std::string_view name, std::string_view text, std::size_t limit) {
  if (text.empty()) return;
  std::string shown = printable(text, limit);
  if (shown.find_first_of(" \"=\\") == std::string::npos) {
    fmt::format_to(std::back_inserter(line), " {}={}", name, shown);
    return;
  }
  std::string quoted;
  for (const char c : shown) {
    if (c == '"') quoted += '\\';
    quoted += c;
  }
  fmt::format_to(std::back_inserter(line), " {}=\"{}\"", name, quoted);
}

bool has_peer(const Peer& peer) {
  return peer != Peer{};
}

void add_outcome(std::string& line, const Record& record) {
  auto out = std::back_inserter(line);
  if (record.verdict != 0) {
    fmt::format_to(out, " verdict={} reason={}",
                   proto::name_of(static_cast<proto::Verdict>(record.verdict)),
                   proto::name_of(record.reason));
  }
  if (record.source != proto::Source::kNone) {
    fmt::format_to(out, " source={}", proto::name_of(record.source));
  }
  if (record.status != 0) fmt::format_to(out, " status={}", record.status);
  if (record.duration.count() != 0) {
    fmt::format_to(out, " took={}us",
                   std::chrono::duration_cast<std::chrono::microseconds>(record.duration).count());
  }
}

}  // namespace

std::string audit_time_text(WallTime time) {
  namespace chrono = std::chrono;
  const auto since = chrono::floor<chrono::microseconds>(time.time_since_epoch());
  const auto day = chrono::floor<chrono::days>(since);
  const chrono::year_month_day date{chrono::sys_days(day)};
  const chrono::hh_mm_ss clock{since - day};
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:06}Z", static_cast<int>(date.year()),
                     static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                     clock.hours().count(), clock.minutes().count(), clock.seconds().count(),
                     clock.subseconds().count());
}

std::string audit_line(const Record& record) {
  std::string line = fmt::format("{} #{} {}", audit_time_text(record.at.wall), record.sequence,
                                 name_of(record.event));
  add_outcome(line, record);
  add(line, "user", record.user, kMaxAuditUser);
  if (record.token) {
    const auto& bytes = *record.token;
    add(line, "token", hex_text({reinterpret_cast<const char*>(bytes.data()), bytes.size()}), 64);
  }
  if (has_peer(record.peer)) {
    fmt::format_to(std::back_inserter(line), " uid={} gid={} pid={}", record.peer.uid,
                   record.peer.gid, record.peer.pid);
    add(line, "comm", record.peer.comm, kMaxAuditComm);
  }
  add(line, "upstream", record.upstream, kMaxAuditUpstream);
  add(line, "method", record.method, kMaxAuditMethod);
  add(line, "route", record.route, kMaxAuditRoute);
  add(line, "roles", record.roles, kMaxAuditRoles);
  add(line, "detail", record.detail, kMaxAuditDetail);
  if (record.count != 1) {
    fmt::format_to(std::back_inserter(line), " count={} last={}", record.count,
                   audit_time_text(record.last));
  }
  if (record.various) line += " various";
  if (record.cut) line += " cut";
  return line;
}

}  // namespace claimsd::audit
