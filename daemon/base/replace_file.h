// replace_file.h: replaces a small file as a whole. Any thread; blocks on the disk.
#pragma once

#include <string>
#include <string_view>

#include "daemon/base/result.h"

namespace claimsd {

// Whatever happens, even a power failure, `path` has either its earlier content or `content`; once
// this returns success, `content` (rename(2), fsync(2)). The file has mode 0600. Uses `path`.new.
Status replace_file(const std::string& path, std::string_view content);

}  // namespace claimsd
