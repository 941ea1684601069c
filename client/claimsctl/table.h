// table.h: formats rows of text in aligned columns. A value; single-threaded.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace claimsd::claimsctl {

// Terminal columns of `text`: UTF-8 characters without color sequences. Assumes that every
// character is one column wide, which holds for what claimsctl prints.
std::size_t width_of(std::string_view text);

// The first `width` columns of `text`. Color sequences are kept whole and reset at the end.
std::string clipped(std::string_view text, std::size_t width);

enum class Align : std::uint8_t { kLeft, kRight };

class Table {
 public:
  explicit Table(std::vector<Align> columns) : columns_(std::move(columns)) {}

  void add(std::vector<std::string> row) { rows_.push_back(std::move(row)); }
  // The formatted rows, with two spaces before each row and between columns.
  std::vector<std::string> lines() const;

 private:
  std::vector<Align> columns_;
  std::vector<std::vector<std::string>> rows_;
};

}  // namespace claimsd::claimsctl
