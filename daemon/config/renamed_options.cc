#include "daemon/config/renamed_options.h"

#include <fmt/format.h>

namespace claimsd::config {
namespace {

constexpr std::string_view kUpstream = "upstream.";
constexpr std::string_view kAnyUpstream = "upstream.*.";

// "upstream.main" of "upstream.main.url"; "" of other paths.
std::string_view upstream_of(std::string_view path) {
  return path.starts_with(kUpstream) ? path.substr(0, path.rfind('.')) : std::string_view();
}

}  // namespace

std::string renamed_to(std::string_view path) {
  const std::string_view upstream = upstream_of(path);
  for (const RenamedOption& row : kRenamedOptions) {
    if (row.old_path == path) return fmt::format("{}{}", row.path, row.example);
    if (upstream.empty() || !row.old_path.starts_with(kAnyUpstream)) continue;
    if (row.old_path.substr(kAnyUpstream.size()) != path.substr(path.rfind('.') + 1)) continue;
    return fmt::format("{}.{}{}", upstream, row.path.substr(kAnyUpstream.size()), row.example);
  }
  return "";
}

std::string_view renamed_value(std::string_view path, std::string_view value) {
  for (const RenamedValue& row : kRenamedValues) {
    if (row.path == path && row.old_value == value) return row.value;
  }
  return "";
}

std::string renamed_markdown() {
  std::string text = "| 0.1.0 | 0.2.0 |\n|---|---|\n";
  for (const RenamedOption& row : kRenamedOptions)
    text += fmt::format("| `{}` | `{}` |\n", row.old_path, row.path);
  for (const RenamedValue& row : kRenamedValues)
    text +=
        fmt::format("| `{0} = \"{1}\"` | `{0} = \"{2}\"` |\n", row.path, row.old_value, row.value);
  return text;
}

}  // namespace claimsd::config
