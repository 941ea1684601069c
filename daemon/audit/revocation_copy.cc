#include "daemon/audit/revocation_copy.h"

#include <unistd.h>

#include <algorithm>

#include "daemon/audit/segment.h"
#include "daemon/store/check_in_child.h"

namespace claimsd::audit {

Result<std::optional<claims::SetHead>> read_revocation_copy(const std::string& directory) {
  if (access(directory.c_str(), F_OK) != 0) return std::optional<claims::SetHead>();
  std::vector<SegmentFile> files = TRY(list_segments(directory));
  std::reverse(files.begin(), files.end());
  Result<std::optional<claims::SetHead>> result = std::optional<claims::SetHead>();
  for (const SegmentFile& file : files) {
    const Status sound = store::check_lmdb_file(file.path);  // LMDB would crash on a damaged file
    const Result<SegmentView> view =
        sound ? SegmentView::open(file.path) : tl::make_unexpected(sound.error());
    if (!view) {
      result = tl::make_unexpected(view.error());
      continue;
    }
    const claims::SetHead& copy =
        view->head().revocations;  // a new segment begins with that of the last
    return copy.sequence == 0 ? std::optional<claims::SetHead>() : std::optional(copy);
  }
  return result;
}

}  // namespace claimsd::audit
