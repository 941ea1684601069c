// trace_id.h: what a client calls its own request by, made fit for a log. Pure; any thread.
//
// W3C's trace-id and traceparent, UUIDs and the like pass as they are. Anything else is dropped as
// a whole, and above all what might be a secret: a client may put anything there, and part of a
// token, an address or a line break would stand in the log.
#pragma once

#include <algorithm>
#include <string_view>

namespace claimsd::daemon {

inline constexpr std::size_t kLongestTraceId = 64;

// `id`, or "" where it is not fit to be logged.
inline std::string_view loggable_trace_id(std::string_view id, std::string_view token) {
  const auto is_plain = [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' ||
           c == '_';
  };
  const bool fit = id.size() <= kLongestTraceId && std::all_of(id.begin(), id.end(), is_plain) &&
                   token.find(id) == std::string_view::npos;
  return fit ? id : std::string_view();
}

}  // namespace claimsd::daemon
