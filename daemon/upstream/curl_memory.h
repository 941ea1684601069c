// curl_memory.h: libcurl's process-wide state, with an allocator that wipes what it frees.
//
// curl copies the Authorization header and the body into buffers of its own. They cannot be reached
// to be wiped, but they all pass through curl_global_init_mem(3). Made before the first thread that
// uses curl; the process should have one.
#pragma once

#include <memory>

#include "daemon/base/result.h"

namespace claimsd::daemon {

class CurlLibrary {
 public:
  static Result<std::unique_ptr<CurlLibrary>> create();
  ~CurlLibrary();
  CurlLibrary(const CurlLibrary&) = delete;
  CurlLibrary& operator=(const CurlLibrary&) = delete;

 private:
  CurlLibrary() = default;
};

}  // namespace claimsd::daemon
