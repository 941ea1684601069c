// renamed_options.h: options that had another name in an earlier version: the error for an old one names the new one, and
// the CHANGELOG's table comes from these rows (markdown.cc). Constant data.
#pragma once

#include <string>
#include <string_view>

namespace claimsd::config {

struct RenamedOption {
  std::string_view old_path;  // "upstream.*.x": of every upstream
  std::string_view path;
  std::string_view example = {};  // " = VALUE" if the value is written in another way as well
};

struct RenamedValue {
  std::string_view path;
  std::string_view old_value;
  std::string_view value;
};

// clang-format off
inline constexpr RenamedOption kRenamedOptions[] = {
  {"daemon.fast_path", "daemon.shared_memory"},
  {"cache.hot_entries", "cache.memory_entries"},
  {"limits.open_after", "limits.failure_threshold"},
  {"upstream.*.refusal_statuses", "upstream.*.rejection_statuses"},
  {"upstream.*.role_claim", "upstream.*.role_claims", R"( = ["groups"])"},
};
inline constexpr RenamedValue kRenamedValues[] = {
  {"audit.when_full", "deny", "unavailable"},
  {"audit.when_full", "allow_and_count", "allow_unrecorded"},
};
// clang-format on

// The rows as Markdown, for CHANGELOG.md.
std::string renamed_markdown();

// The new path of `path`, which may name an upstream, and the example; "": it was never renamed.
std::string renamed_to(std::string_view path);

// The new spelling of an old value; "": it was never renamed.
std::string_view renamed_value(std::string_view path, std::string_view value);

}  // namespace claimsd::config
