// cache_headers.h: what an answer's own headers say of how long it may be kept (RFC 9111) and when
// to come back (RFC 9110).
//
// Pure; any thread. Whatever cannot be read counts as the stricter reading.
#pragma once

#include <optional>
#include <string_view>

#include "daemon/base/clock.h"

namespace claimsd::daemon {

struct CacheHeaders {
  bool no_store = false;            // share with those who wait, do not keep
  std::optional<seconds> lifetime;  // max-age less Age; no-cache and what cannot be read: 0
};

// Values of Cache-Control and Age, "" where absent (RFC 9111 sections 5.1 and 5.2.2).
CacheHeaders read_cache_headers(std::string_view cache_control, std::string_view age);

// Retry-After in its delay-seconds form (RFC 9110 section 10.2.3), at most an hour; nothing for
// dates and anything else.
std::optional<seconds> read_retry_after(std::string_view value);

}  // namespace claimsd::daemon
