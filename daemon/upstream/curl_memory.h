// curl_memory.h: libcurl's process-wide state, with an allocator that wipes memory before freeing
// it. Create it before the first thread that uses curl; owned by FetchThread and UpstreamClient.
//
// curl copies the Authorization header and the body into its own buffers. We cannot wipe those
// directly, but all of them pass through curl_global_init_mem(3).
#pragma once

#include <memory>

#include "daemon/base/result.h"

namespace claimsd::upstream {

class CurlLibrary {
 public:
  static Result<std::unique_ptr<CurlLibrary>> create();
  ~CurlLibrary();
  CurlLibrary(const CurlLibrary&) = delete;
  CurlLibrary& operator=(const CurlLibrary&) = delete;

 private:
  CurlLibrary() = default;
};

}  // namespace claimsd::upstream
