// retention.h: decides which segments may be dropped. Pure; any thread.
#pragma once

#include <algorithm>
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

struct ToDrop {
  std::size_t count = 0;  // of the oldest segments
  std::size_t early = 0;  // of those, dropped only for their size: their records are not old enough
};

// The newest segment is always kept. A segment's age is that of the newest record it may hold: the
// day on which the next segment was begun. If a later one was begun on an earlier day, the wall
// clock had been wrong, and that day counts. `clock_proven`: without it age drops nothing.
inline ToDrop segments_to_drop(std::span<const SegmentInfo> segments, const Retention& retention,
                               WallTime now, bool clock_proven = true) {
  ToDrop drop;
  if (segments.empty()) return drop;
  std::uint64_t bytes = 0;
  for (const SegmentInfo& segment : segments) bytes += segment.bytes;
  while (drop.count + 1 < segments.size()) {
    std::int64_t day = segments[drop.count + 1].day;
    for (const SegmentInfo& later : segments.subspan(drop.count + 1))
      day = std::min(day, later.day);
    const auto ended = WallTime(std::chrono::days(day + 1));
    const bool old = retention.age.count() > 0 && clock_proven && now - ended > retention.age;
    const bool large = retention.bytes > 0 && bytes > retention.bytes;
    if (!old && !large) break;
    if (!old && retention.age.count() > 0) ++drop.early;
    bytes -= segments[drop.count].bytes;
    ++drop.count;
  }
  return drop;
}

}  // namespace claimsd::audit
