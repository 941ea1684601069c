#include "daemon/config/load.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "daemon/base/printable.h"
#include "daemon/config/convert.h"
#include "daemon/config/convert_claims.h"
#include "daemon/config/cross_check.h"
#include "daemon/config/merge.h"
#include "daemon/config/options.h"
#include "daemon/config/problems.h"
#include "daemon/config/renamed_options.h"
#include "daemon/config/suggest.h"

namespace claimsd::config {
namespace {

constexpr std::size_t kMaxKeyShown = 64;
constexpr std::size_t kMaxTableName = 64;  // as on the wire
constexpr std::size_t kMaxTables = 64;

std::string shown(std::string_view key) {
  return printable(key, kMaxKeyShown);
}

std::string_view section_of(std::string_view path) {
  return path.substr(0, path.find('.'));
}
std::string_view key_of(std::string_view path) {
  return path.substr(path.rfind('.') + 1);
}

bool is_table_name(std::string_view name) {
  constexpr std::string_view kAllowed =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-";
  return !name.empty() && name.size() <= kMaxTableName &&
         name.find_first_not_of(kAllowed) == std::string_view::npos;
}

// Equal for equal values, whatever their spelling. No value contains a line break.
std::string exactly(const Value& value) {
  return fmt::format("{}\n{}\n{}\n{}\n{}\n{}", value.boolean, value.number, value.text,
                     fmt::join(value.numbers, ","), fmt::join(value.texts, "\n"),
                     exact_claims(value));
}

// Walks the file for unknown names, and the table for values.
class Loader {
 public:
  Loader(std::vector<std::string> filenames, Urls urls)
      : filenames_(std::move(filenames)), urls_(urls) {}

  Result<LoadedConfig> load(const Node& root) {
    check_tables(root);
    for (const auto& row : option_rows()) {
      const auto* section = root.find(section_of(row.option.path));
      const auto* member = section ? section->value.find(key_of(row.option.path)) : nullptr;
      apply(row, std::string(row.option.path), member, loaded_.config);
    }
    if (const auto* upstreams = root.find("upstream"))
      load_named(*upstreams, "upstream", upstream_rows(), loaded_.config.upstreams);
    const auto* const http = root.find("http");
    if (const auto* gates = http ? http->value.find("gate") : nullptr)
      load_named(*gates, "http.gate", gate_rows(), loaded_.config.http.gates);
    cross_check(loaded_.config, root, urls_, problems_);
    if (!problems_.empty()) return failure(problems_.text(filenames_));
    return std::move(loaded_);
  }

 private:
  // Sets `target` from the file, or from the row's default if the file does not set it.
  template <class Target>
  void apply(const Row<Target>& row, std::string path, const Member* member, Target& target) {
    const auto& option = row.option;
    const Node fallback = member ? Node{} : default_of(option);
    const Node& node = member ? member->value : fallback;
    if (const auto now = renamed_value(path, node.text); member && !now.empty()) {
      problems_.add(node.at,
                    fmt::format("{}: \"{}\" is renamed; write \"{}\"", path, node.text, now));
      return;
    }
    const auto value = convert(option, node);
    if (!value) {
      problems_.add(node.at, fmt::format("{}: {}", path, value.error().message));
      return;
    }
    row.assign(target, *value);
    loaded_.settings.push_back(
        {std::move(path), display(node),
         member ? fmt::format("{}:{}", filenames_[member->at.file], member->at.line)
                : std::string(kDefaultOrigin),
         option.reload == Reload::kYes, exactly(*value)});
  }

  // Defaults in the table are TOML, and pass the same checks as the file.
  static Node default_of(const Option& option) {
    auto root = read_toml(fmt::format("value = {}", option.fallback));
    return root ? std::move(root->members.at(0).value) : Node{};
  }

  void check_tables(const Node& root) {
    for (const auto& member : root.members) {
      if (member.key == "upstream") continue;
      std::vector<std::string_view> keys;
      for (const auto& row : option_rows()) {
        if (section_of(row.option.path) == member.key) keys.push_back(key_of(row.option.path));
      }
      if (member.key == "http") keys.push_back("gate");  // the tables [http.gate.NAME]
      if (keys.empty()) {
        unknown_table(member);
      } else if (member.value.kind != NodeKind::kTable) {
        problems_.add(
            member.at,
            fmt::format("{0}: must be a table: write [{0}] on a line of its own", member.key));
      } else {
        check_keys(member.value, member.key, keys);
      }
    }
  }

  void check_keys(const Node& table, std::string_view prefix,
                  std::span<const std::string_view> known) {
    for (const auto& member : table.members) {
      if (std::find(known.begin(), known.end(), member.key) != known.end()) continue;
      if (const auto path = renamed_to(fmt::format("{}.{}", prefix, member.key)); !path.empty()) {
        problems_.add(member.at,
                      fmt::format("{}.{}: renamed; write {}", prefix, shown(member.key), path));
        continue;
      }
      const auto near = nearest(member.key, known);
      const auto hint =
          near ? fmt::format("did you mean {}?", *near)
               : fmt::format("the options of [{}] are {}", prefix, fmt::join(known, ", "));
      problems_.add(member.at,
                    fmt::format("{}.{}: unknown option; {}", prefix, shown(member.key), hint));
    }
  }

  // Most likely a key outside its table, otherwise a misspelled table.
  void unknown_table(const Member& member) {
    std::vector<std::string_view> sections{"upstream"};
    std::string hint;
    for (const auto& row : option_rows()) {
      if (hint.empty() && key_of(row.option.path) == member.key)
        hint = fmt::format("did you mean {}?", row.option.path);
      if (sections.back() != section_of(row.option.path))
        sections.push_back(section_of(row.option.path));
    }
    if (hint.empty()) {
      const auto near = nearest(member.key, sections);
      hint = near ? fmt::format("did you mean {}?", *near)
                  : fmt::format("the tables are {}", fmt::join(sections, ", "));
    }
    problems_.add(member.at, fmt::format("{}: unknown table; {}", shown(member.key), hint));
  }

  // Tables with names of the operator's choice: [PREFIX.NAME].
  template <class Target>
  void load_named(const Member& tables, const std::string& prefix,
                  std::span<const Row<Target>> rows, std::vector<Target>& targets) {
    if (tables.value.kind != NodeKind::kTable) {
      problems_.add(
          tables.at,
          fmt::format("{0}: must be tables: write [{0}.NAME] on a line of its own", prefix));
      return;
    }
    if (tables.value.members.size() > kMaxTables) {
      problems_.add(tables.at, fmt::format("{}: found {} tables, the maximum is {}", prefix,
                                           tables.value.members.size(), kMaxTables));
      return;
    }
    std::vector<std::string_view> keys;
    for (const auto& row : rows) keys.push_back(row.option.path);
    for (const auto& member : tables.value.members) {
      const auto path = prefix + "." + shown(member.key);
      if (!is_named_table(member, prefix, path)) continue;
      check_keys(member.value, path, keys);
      Target& target = targets.emplace_back();
      target.name = member.key;
      for (const auto& row : rows) {
        apply(row, fmt::format("{}.{}", path, row.option.path), member.value.find(row.option.path),
              target);
      }
    }
  }

  bool is_named_table(const Member& member, const std::string& prefix, const std::string& path) {
    if (member.value.kind != NodeKind::kTable) {
      // `[upstream]` with options directly below it lacks the name.
      problems_.add(member.at,
                    fmt::format("{}: must be a table with a name, as in [{}.main]", path, prefix));
      return false;
    }
    if (is_table_name(member.key)) return true;
    problems_.add(member.at, fmt::format("{}: invalid name: use 1 to {} letters, digits, - and _",
                                         path, kMaxTableName));
    return false;
  }

  std::vector<std::string> filenames_;
  const Urls urls_;
  Problems problems_;
  LoadedConfig loaded_;
};

}  // namespace

Result<LoadedConfig> load_config(std::span<const ConfigText> files, Urls urls) {
  Node root;
  std::vector<std::string> names;
  for (const ConfigText& file : files) {
    auto one = read_toml(file.text, static_cast<std::uint32_t>(names.size()));
    if (!one) return failure(fmt::format("{}:{}", file.name, one.error().message));
    names.push_back(file.name);
    merge_config(root, std::move(*one));
  }
  return Loader(std::move(names), urls).load(root);
}

Result<LoadedConfig> load_config(std::string_view text, std::string_view filename) {
  const ConfigText file{std::string(filename), std::string(text)};
  return load_config({&file, 1});
}

}  // namespace claimsd::config
