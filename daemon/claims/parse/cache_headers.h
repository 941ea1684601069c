// cache_headers.h: how long a response may be cached according to its headers (RFC 9111).
//
// Malformed values are treated as the stricter interpretation. Pure; any thread.
#pragma once

#include <optional>
#include <string_view>

#include "daemon/base/clock.h"

namespace claimsd::claims {

struct CacheHeaders {
  bool no_store = false;            // answer the current waiters, do not cache
  std::optional<seconds> lifetime;  // max-age minus Age; 0 for no-cache or a malformed value
  bool forbids = false;             // no-store or no-cache is there
  std::optional<seconds> max_age;   // max-age minus Age, whatever no-cache says
};

// The same headers if `ttl` replaces no-store and no-cache. It replaces neither a max-age nor
// `Vary: *`. `ttl` 0: unchanged.
CacheHeaders without_no_store(const CacheHeaders& headers, seconds ttl);

// Takes the values of Cache-Control, Age and Vary, "" if absent (RFC 9111 sections 4.1, 5.1 and
// 5.2.2). `Vary: *` counts as no-store. Other fields in Vary are ignored: requests differ only in
// Authorization, and the token is part of every key.
CacheHeaders read_cache_headers(std::string_view cache_control, std::string_view age,
                                std::string_view vary = "");

}  // namespace claimsd::claims
