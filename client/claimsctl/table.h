// table.h: rows of text in columns as wide as what is in them. A value; one thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace claimsd::ctl {

// Columns that text takes on a terminal: characters of UTF-8, less colours. Right for what
// claimsctl prints, where every character is one column wide.
std::size_t width_of(std::string_view text);

// The first `width` columns of it; colours stay whole, and end.
std::string clipped(std::string_view text, std::size_t width);

enum class Align : std::uint8_t { kLeft, kRight };

class Table {
 public:
  explicit Table(std::vector<Align> columns) : columns_(std::move(columns)) {}

  void add(std::vector<std::string> row) { rows_.push_back(std::move(row)); }
  // Each row with two spaces before it and between its columns.
  std::vector<std::string> lines() const;

 private:
  std::vector<Align> columns_;
  std::vector<std::vector<std::string>> rows_;
};

}  // namespace claimsd::ctl
