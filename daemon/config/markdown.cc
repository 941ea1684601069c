// The table of options for people: allowed values as a phrase, and the Markdown documentation.
#include <fmt/core.h>

#include "daemon/config/options.h"
#include "daemon/config/quantity.h"

namespace claimsd::config {
namespace {

std::string enumerate(std::string_view alternatives) {
  std::string out;
  for (auto rest = alternatives;;) {
    const auto end = rest.find('|');
    out += fmt::format("\"{}\"", rest.substr(0, end));
    if (end == std::string_view::npos) return out;
    rest.remove_prefix(end + 1);
    out += rest.find('|') == std::string_view::npos ? " or " : ", ";
  }
}

std::string describe_path(const Option& option) {
  return fmt::format("an absolute path of at most {} bytes{}", option.max,
                     option.min == 0 ? ", or \"\"" : "");
}

void render(std::string& out, const Option& option, std::string_view key) {
  std::string escaped;
  for (const char c : describe_allowed(option))
    escaped += c == '|' ? std::string("\\|") : std::string(1, c);
  out += fmt::format("| `{}` | `{}` | {} | {}{} |\n", key, option.fallback, escaped, option.help,
                     option.reload == Reload::kNo ? " *(restart)*" : "");
}

void render_head(std::string& out, std::string_view section) {
  out +=
      fmt::format("{}### `[{}]`\n\n| option | default | allowed | meaning |\n|---|---|---|---|\n",
                  out.empty() ? "" : "\n", section);
}

}  // namespace

std::string describe_allowed(const Option& option) {
  const auto& o = option;
  switch (o.type) {
    case OptionType::kBoolean: return "true or false";
    case OptionType::kInteger: return fmt::format("{} to {}", o.min, o.max);
    case OptionType::kIntegers: return fmt::format("a list of integers, {} to {}", o.min, o.max);
    case OptionType::kSize:
      return fmt::format("{} to {}, in bytes or as \"64KiB\", \"64MiB\"", format_size(o.min),
                         format_size(o.max));
    case OptionType::kDuration:
      return fmt::format("\"{}\" to \"{}\", with a unit (ms, s, m or h)", format_duration(o.min),
                         format_duration(o.max));
    case OptionType::kMode: return fmt::format("\"0000\" to \"0{:o}\", octal", o.max);
    case OptionType::kString:
      return fmt::format("a string of {} to {} bytes without control characters", o.min, o.max);
    case OptionType::kPath: return describe_path(o);
    case OptionType::kUrlPath:
      return fmt::format("a path that begins with a slash, of at most {} bytes, without query",
                         o.max);
    case OptionType::kUrl: return "a string with a URL";
    case OptionType::kStrings:
      return fmt::format("a list of strings of {} to {} bytes", o.min, o.max);
    case OptionType::kUrls: return "a list of strings with URLs";
    case OptionType::kProxy: return "a string with the URL of a proxy, or \"\"";
    case OptionType::kEnum: return enumerate(o.allowed);
    case OptionType::kClaim:
      return R"(a claim's name, such as "sub", or a JSON Pointer, such as "/user/id")";
    case OptionType::kRoleClaims:
      return R"(a list such as ["groups", "/realm_access/roles", {at = "scope", form = "words"}])";
    case OptionType::kRequired:
      return R"(a table of claims and their values, such as {"/email_verified" = true})";
  }
  return "";
}

std::string options_markdown() {
  std::string out;
  std::string_view section;
  for (const auto& row : option_rows()) {
    const auto dot = row.option.path.find('.');
    if (row.option.path.substr(0, dot) != section) {
      section = row.option.path.substr(0, dot);
      render_head(out, section);
    }
    render(out, row.option, row.option.path.substr(dot + 1));
  }
  render_head(out, "http.gate.NAME");
  for (const auto& row : gate_rows()) render(out, row.option, row.option.path);
  render_head(out, "upstream.NAME");
  for (const auto& row : upstream_rows()) render(out, row.option, row.option.path);
  return out;
}

}  // namespace claimsd::config
