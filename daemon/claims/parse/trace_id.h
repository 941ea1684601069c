// trace_id.h: makes a client's trace id safe to log. Pure; any thread.
//
// W3C trace ids and traceparents, UUIDs and the like pass unchanged. Anything else is dropped as a
// whole: clients control the value, so it might contain part of a token, an address or a line
// break.
#pragma once

#include <algorithm>
#include <string_view>

namespace claimsd::claims {

inline constexpr std::size_t kMaxTraceId = 64;

// Returns `id`, or "" if it must not be logged.
inline std::string_view loggable_trace_id(std::string_view id, std::string_view token) {
  const auto is_plain = [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' ||
           c == '_';
  };
  const bool fit = id.size() <= kMaxTraceId && std::all_of(id.begin(), id.end(), is_plain) &&
                   token.find(id) == std::string_view::npos;
  return fit ? id : std::string_view();
}

}  // namespace claimsd::claims
