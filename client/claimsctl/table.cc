#include "client/claimsctl/table.h"

#include <algorithm>

namespace claimsd::claimsctl {
namespace {

// The length of the color sequence (ESC [ ... m) at the start of `text`; 0 if there is none.
std::size_t colour_at(std::string_view text) {
  if (text.substr(0, 2) != "\x1b[") return 0;
  const auto end = text.find('m');
  return end == std::string_view::npos ? 0 : end + 1;
}

bool continues(char c) {
  return (static_cast<unsigned char>(c) & 0xC0U) == 0x80;
}

// Calls `visit(piece, is_colour)` for each color sequence and each character.
template <class Visit>
void each_piece(std::string_view text, Visit&& visit) {
  while (!text.empty()) {
    std::size_t size = colour_at(text);
    const bool colour = size > 0;
    if (!colour) {
      size = 1;
      while (size < text.size() && continues(text[size])) ++size;
    }
    visit(text.substr(0, size), colour);
    text.remove_prefix(size);
  }
}

}  // namespace

std::size_t width_of(std::string_view text) {
  std::size_t width = 0;
  each_piece(text, [&](std::string_view, bool colour) { width += colour ? 0 : 1; });
  return width;
}

std::string clipped(std::string_view text, std::size_t width) {
  std::string out;
  std::size_t used = 0;
  each_piece(text, [&](std::string_view piece, bool colour) {
    if (!colour && used++ >= width) return;
    out += piece;
  });
  return out;
}

std::vector<std::string> Table::lines() const {
  std::vector<std::size_t> widths(columns_.size());
  for (const auto& row : rows_) {
    for (std::size_t at = 0; at < row.size(); ++at)
      widths[at] = std::max(widths[at], width_of(row[at]));
  }
  std::vector<std::string> lines;
  for (const auto& row : rows_) {
    std::string line;
    for (std::size_t at = 0; at < row.size(); ++at) {
      const std::string space(widths[at] - width_of(row[at]), ' ');
      line += "  ";
      line += columns_[at] == Align::kRight ? space + row[at] : row[at] + space;
    }
    while (!line.empty() && line.back() == ' ') line.pop_back();
    lines.push_back(std::move(line));
  }
  return lines;
}

}  // namespace claimsd::claimsctl
