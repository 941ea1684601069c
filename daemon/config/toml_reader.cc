#include "daemon/config/toml_reader.h"

#include <fmt/core.h>
#include <toml++/toml.h>

#include <algorithm>

#include "daemon/base/printable.h"

namespace claimsd::config {
namespace {

// Lists and tables inside each other: root, [http], gate, NAME, a list, its items.
constexpr int kDepth = 6;
constexpr std::size_t kMaxDescription = 200;

Position position(const toml::source_region& region) {
  return {.line = region.begin.line, .column = region.begin.column};
}

Node convert(const toml::node& from, int depth);

void convert_table(const toml::table& table, int depth, Node& to) {
  for (const auto& [key, value] : table) {
    to.members.push_back(
        {std::string(key.str()), position(key.source()), convert(value, depth - 1)});
  }
  // toml++ sorts by name; people read from top to bottom.
  std::stable_sort(to.members.begin(), to.members.end(),
                   [](const Member& a, const Member& b) { return a.at < b.at; });
}

Node convert(const toml::node& from, int depth) {
  Node to;
  to.at = position(from.source());
  if (depth == 0 && (from.is_table() || from.is_array())) {
    to.kind = NodeKind::kTooDeep;
  } else if (const auto* table = from.as_table()) {
    to.kind = NodeKind::kTable;
    convert_table(*table, depth, to);
  } else if (const auto* array = from.as_array()) {
    to.kind = NodeKind::kArray;
    for (const auto& item : *array) to.items.push_back(convert(item, depth - 1));
  } else if (const auto* text = from.as_string()) {
    to.kind = NodeKind::kString;
    to.text = text->get();
  } else if (const auto* integer = from.as_integer()) {
    to.kind = NodeKind::kInteger;
    to.integer = integer->get();
  } else if (const auto* boolean = from.as_boolean()) {
    to.kind = NodeKind::kBoolean;
    to.boolean = boolean->get();
  } else if (const auto* number = from.as_floating_point()) {
    to.kind = NodeKind::kFloat;
    to.real = number->get();
    to.text = fmt::format("{}", to.real);
  } else {
    to.kind = NodeKind::kDate;
  }
  return to;
}

void set_file(Node& node, std::uint32_t file) {
  node.at.file = file;
  for (Node& item : node.items) set_file(item, file);
  for (Member& member : node.members) {
    member.at.file = file;
    set_file(member.value, file);
  }
}

}  // namespace

const Member* Node::find(std::string_view key) const {
  const auto found =
      std::find_if(members.begin(), members.end(), [&](const Member& m) { return m.key == key; });
  return found == members.end() ? nullptr : &*found;
}

Result<Node> read_toml(std::string_view text, std::uint32_t file) {
  if (text.size() > kMaxConfigBytes) {
    return failure(
        fmt::format("1:1: the file has {} bytes, the maximum is {}", text.size(), kMaxConfigBytes));
  }
  const auto dots = static_cast<std::size_t>(std::count(text.begin(), text.end(), '.'));
  if (dots > kMaxConfigDots) {
    return failure(
        fmt::format("1:1: the file has {} dots, the maximum is {}", dots, kMaxConfigDots));
  }
  try {
    Node root = convert(toml::parse(text), kDepth);
    if (file != 0) set_file(root, file);
    return root;
  } catch (const toml::parse_error& error) {
    const auto at = position(error.source());
    return failure(fmt::format("{}:{}: invalid TOML: {}", at.line, at.column,
                               printable(error.description(), kMaxDescription)));
  }
}

}  // namespace claimsd::config
