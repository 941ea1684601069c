// toml_reader.h: parses TOML into a plain tree with positions. The only user of toml++, whose
// headers are slow to compile. Pure; any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/base/result.h"

namespace claimsd::config {

// Larger files are rejected unread. So are files with more dots: each dot can nest a table, and
// toml++ walks tables recursively.
inline constexpr std::size_t kMaxConfigBytes = 256 * 1024;
inline constexpr std::size_t kMaxConfigDots = 4096;

struct Position {
  std::uint32_t file = 0;  // number of the file: the configuration file is 0, then its drop-ins
  std::uint32_t line = 0;  // both from 1; 0: no position
  std::uint32_t column = 0;
  friend auto operator<=>(const Position&, const Position&) = default;
};

// kTooDeep: a list or table that is nested deeper than any option; no option accepts it.
enum class NodeKind : std::uint8_t {
  kBoolean,
  kInteger,
  kFloat,
  kString,
  kDate,
  kArray,
  kTable,
  kTooDeep
};

struct Member;

struct Node {
  NodeKind kind = NodeKind::kTable;
  Position at;
  bool boolean = false;
  std::int64_t integer = 0;
  double real = 0;              // kFloat
  std::string text;             // kString; kFloat as written
  std::vector<Node> items;      // kArray
  std::vector<Member> members;  // kTable, in the order of the file

  const Member* find(std::string_view key) const;
};

struct Member {
  std::string key;
  Position at;  // of the key
  Node value;
};

// The tree below the root, five levels deep. Anything deeper belongs to no option and is dropped.
// `file`: for its positions. The error is "LINE:COLUMN: …".
Result<Node> read_toml(std::string_view text, std::uint32_t file = 0);

}  // namespace claimsd::config
