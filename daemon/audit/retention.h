// retention.h: decides which segments may be dropped. Pure; any thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <span>
#include <string>

#include "daemon/audit/record.h"
#include "daemon/base/clock.h"

namespace claimsd::audit {

struct Retention {
  Duration age{};           // drop segments older than this; 0: no age limit
  std::uint64_t bytes = 0;  // drop the oldest beyond this total; 0: no size limit
};

struct SegmentInfo {
  std::string path;
  Sequence first = 0;
  std::uint32_t generation = 0;
  std::int64_t day = 0;  // day it was begun
  std::uint64_t bytes = 0;
};

constexpr std::int64_t audit_day(WallTime time) {
  return std::chrono::floor<std::chrono::days>(time.time_since_epoch()).count();
}

// How many of the oldest segments to drop. The newest is always kept. A segment's age is that of
// the newest record it may hold: the day on which the next segment was begun.
inline std::size_t segments_to_drop(std::span<const SegmentInfo> segments,
                                    const Retention& retention, WallTime now) {
  if (segments.empty()) return 0;
  std::uint64_t bytes = 0;
  for (const SegmentInfo& segment : segments) bytes += segment.bytes;
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

}  // namespace claimsd::audit
