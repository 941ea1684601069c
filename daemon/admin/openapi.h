// openapi.h: openapi.yaml, embedded at build time. Static storage; any thread.
#pragma once

#include <string_view>

namespace claimsd::admin {

extern const std::string_view kOpenApi;

}  // namespace claimsd::admin
