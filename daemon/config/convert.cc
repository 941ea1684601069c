#include "daemon/config/convert.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>

#include "daemon/base/ascii.h"
#include "daemon/base/printable.h"
#include "daemon/config/convert_claims.h"
#include "daemon/config/quantity.h"
#include "daemon/config/url.h"

namespace claimsd::config {
namespace {

constexpr std::size_t kMaxListed = 4096;      // entries of a list
constexpr std::size_t kMaxDisplayed = 16384;  // bytes of a value in a listing

constexpr std::array kKindNames =
    std::to_array<std::string_view>({"a boolean", "an integer", "a fraction", "a string", "a date",
                                     "a list", "a table", "a nested value"});

std::string_view kind_name(NodeKind kind) {
  return kKindNames.at(static_cast<std::size_t>(kind));
}

std::string show_table(const Node& node, std::size_t limit);

// A value as written in a file; the kind's name for a list or a date.
std::string show(const Node& node, std::size_t limit) {
  switch (node.kind) {
    case NodeKind::kBoolean: return node.boolean ? "true" : "false";
    case NodeKind::kInteger: return fmt::format("{}", node.integer);
    case NodeKind::kFloat: return printable(node.text, limit);
    case NodeKind::kString: return fmt::format("\"{}\"", printable(node.text, limit));
    case NodeKind::kTable: return show_table(node, limit);
    default: return std::string(kind_name(node.kind));
  }
}

std::string show_table(const Node& node, std::size_t limit) {
  std::string text = "{";
  for (const Member& member : node.members)
    text += fmt::format("{}\"{}\" = {}", text.size() > 1 ? ", " : "", printable(member.key, limit),
                        show(member.value, limit));
  return text + "}";
}

tl::unexpected<Error> refuse(const Option& option, const Node& node) {
  const bool hide = option.show == Show::kNo && node.kind == NodeKind::kString;
  return failure(fmt::format("found {}, expected {}", hide ? "a string" : show(node, kMaxShown),
                             describe_allowed(option)));
}

Result<Value> number_in_range(const Option& option, const Node& node,
                              std::optional<std::int64_t> number) {
  if (!number || *number < option.min || *number > option.max) return refuse(option, node);
  Value value;
  value.number = *number;
  return value;
}

Result<Value> convert_enum(const Option& option, const Node& node) {
  auto rest = option.allowed;
  for (std::int64_t index = 0;; ++index) {
    const auto end = std::min(rest.find('|'), rest.size());
    if (node.text == rest.substr(0, end)) {
      Value value;
      value.number = index;
      return value;
    }
    if (end == rest.size()) return refuse(option, node);
    rest.remove_prefix(end + 1);
  }
}

Result<Value> convert_text(const Option& option, const Node& node) {
  const auto size = static_cast<std::int64_t>(node.text.size());
  if (has_control_character(node.text) || size < option.min || size > option.max) {
    return refuse(option, node);
  }
  const bool path = option.type == OptionType::kPath;
  if (path && !node.text.empty() && node.text[0] != '/') return refuse(option, node);
  if (option.type == OptionType::kUrlPath && !check_request_path(node.text))
    return refuse(option, node);
  Value value;
  value.text = node.text;
  return value;
}

Result<Value> convert_url(const Option& option, const Node& node) {
  Value value;
  if (node.text.empty()) return value;
  auto url = option.type == OptionType::kProxy ? normalise_proxy_url(node.text)
                                               : normalise_upstream_url(node.text);
  if (!url) return failure("the URL " + url.error().message);
  value.text = std::move(*url);
  return value;
}

Result<Value> convert_string(const Option& option, const Node& node) {
  switch (option.type) {
    case OptionType::kDuration: return number_in_range(option, node, parse_duration(node.text));
    case OptionType::kSize: return number_in_range(option, node, parse_size(node.text));
    case OptionType::kMode: return number_in_range(option, node, parse_mode(node.text));
    case OptionType::kEnum: return convert_enum(option, node);
    case OptionType::kString:
    case OptionType::kPath:
    case OptionType::kUrlPath: return convert_text(option, node);
    case OptionType::kUrl:
    case OptionType::kProxy: return convert_url(option, node);
    case OptionType::kClaim: return convert_claim(option, node);
    default: return refuse(option, node);
  }
}

Result<Value> convert_list(const Option& option, const Node& node) {
  if (node.items.size() > kMaxListed) {
    return failure(
        fmt::format("found {} entries, the maximum is {}", node.items.size(), kMaxListed));
  }
  Value value;
  for (const auto& item : node.items) {
    if (option.type == OptionType::kUrls) {
      if (item.kind != NodeKind::kString || item.text.empty()) return refuse(option, item);
      value.texts.push_back(TRY(convert_url(option, item)).text);
    } else if (option.type == OptionType::kStrings) {
      if (item.kind != NodeKind::kString) return refuse(option, item);
      value.texts.push_back(TRY(convert_text(option, item)).text);
    } else {
      if (item.kind != NodeKind::kInteger) return refuse(option, item);
      value.numbers.push_back(TRY(number_in_range(option, item, item.integer)).number);
    }
  }
  return value;
}

bool is_list(OptionType type) {
  return type == OptionType::kIntegers || type == OptionType::kUrls || type == OptionType::kStrings;
}

}  // namespace

Result<Value> convert(const Option& option, const Node& node) {
  if (node.kind == NodeKind::kString) return convert_string(option, node);
  if (node.kind == NodeKind::kArray && is_list(option.type)) return convert_list(option, node);
  if (node.kind == NodeKind::kArray && option.type == OptionType::kRoleClaims)
    return convert_role_claims(option, node);
  if (node.kind == NodeKind::kTable && option.type == OptionType::kRequired)
    return convert_required(option, node);
  if (node.kind == NodeKind::kBoolean && option.type == OptionType::kBoolean) {
    Value value;
    value.boolean = node.boolean;
    return value;
  }
  const bool counts = option.type == OptionType::kInteger || option.type == OptionType::kSize;
  if (node.kind == NodeKind::kInteger && counts) {
    return number_in_range(option, node, node.integer);
  }
  return refuse(option, node);
}

std::string display(const Node& node) {
  if (node.kind != NodeKind::kArray) return show(node, kMaxDisplayed);
  std::vector<std::string> items;
  for (const auto& item : node.items) items.push_back(show(item, kMaxShown));
  return fmt::format("[{}]", fmt::join(items, ", "));
}

}  // namespace claimsd::config
