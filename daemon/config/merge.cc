#include "daemon/config/merge.h"

#include <algorithm>
#include <string>
#include <utility>

namespace claimsd::config {
namespace {

// Whether the value at `path` is a table of options or of tables, and not an option whose value is a
// table.
bool is_section(const std::string& path) {
  const auto dots = std::count(path.begin(), path.end(), '.');
  if (dots == 0) return true;  // [daemon], [upstream], ...
  return (path.starts_with("upstream.") && dots == 1) ||
         (path.starts_with("http.gate") && dots <= 2);
}

void merge(Node& base, Node&& over, const std::string& prefix) {
  for (Member& member : over.members) {
    const auto found = std::find_if(base.members.begin(), base.members.end(),
                                    [&](const Member& one) { return one.key == member.key; });
    if (found == base.members.end()) {
      base.members.push_back(std::move(member));
      continue;
    }
    const std::string path = prefix + member.key;
    const bool both_tables =
        found->value.kind == NodeKind::kTable && member.value.kind == NodeKind::kTable;
    if (both_tables && is_section(path)) {
      merge(found->value, std::move(member.value), path + ".");
    } else {
      *found = std::move(member);
    }
  }
}

}  // namespace

void merge_config(Node& base, Node&& over) {
  merge(base, std::move(over), "");
}

}  // namespace claimsd::config
