// cache_headers.h: how long a response may be cached according to its headers (RFC 9111).
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

// Values of Cache-Control, Age and Vary, "" where absent (RFC 9111 sections 4.1, 5.1 and 5.2.2).
// `Vary: *` counts as no-store. What else it names is of no consequence: requests differ in nothing
// but their Authorization, and the token is part of every key.
CacheHeaders read_cache_headers(std::string_view cache_control, std::string_view age,
                                std::string_view vary = "");

}  // namespace claimsd::daemon
