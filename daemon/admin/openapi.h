// openapi.h: openapi.yaml as the daemon was built with it. Static storage; any thread.
#pragma once

#include <string_view>

namespace claimsd::daemon {

extern const std::string_view kOpenApi;

}  // namespace claimsd::daemon
