// retention.h: which segments may go. Pure.
#pragma once

#include <chrono>
#include <cstdint>
#include <span>
#include <string>

#include "daemon/audit/record.h"
#include "daemon/base/clock.h"

namespace claimsd::daemon {

struct AuditRetention {
  Duration age{};           // older records may go; 0: none for its age
  std::uint64_t bytes = 0;  // more than that goes, oldest first; 0: none for the size
};

struct AuditSegmentInfo {
  std::string path;
  AuditSequence first = 0;
  std::uint32_t generation = 0;
  std::int64_t day = 0;  // on which it was begun
  std::uint64_t bytes = 0;
};

constexpr std::int64_t audit_day(WallTime time) {
  return std::chrono::floor<std::chrono::days>(time.time_since_epoch()).count();
}

// How many of the oldest segments go. The newest never does. A segment is as old as its last record
// may be: as the day on which the next one was begun.
inline std::size_t segments_to_drop(std::span<const AuditSegmentInfo> segments,
                                    const AuditRetention& retention, WallTime now) {
  if (segments.empty()) return 0;
  std::uint64_t bytes = 0;
  for (const AuditSegmentInfo& segment : segments) bytes += segment.bytes;
  std::size_t drop = 0;
  while (drop + 1 < segments.size()) {
    const auto ended = WallTime(std::chrono::days(segments[drop + 1].day + 1));
    const bool old = retention.age.count() > 0 && now - ended > retention.age;
    const bool large = retention.bytes > 0 && bytes > retention.bytes;
    if (!old && !large) break;
    bytes -= segments[drop].bytes;
    ++drop;
  }
  return drop;
}

}  // namespace claimsd::daemon
