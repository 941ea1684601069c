// openapi.h: openapi.yaml, embedded at build time. Static storage; any thread.
#pragma once

#include <string_view>

namespace claimsd::daemon {

extern const std::string_view kOpenApi;

}  // namespace claimsd::daemon
