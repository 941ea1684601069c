#include "daemon/store/pieces.h"

#include <string>

namespace claimsd::store {
namespace {

// The key of further piece `number`.
std::string key_of(std::string_view key, std::size_t number) {
  std::string numbered(key);
  numbered += static_cast<char>(number);
  return numbered;
}

void append(std::vector<char>& buffer, std::string_view piece) {
  buffer.insert(buffer.end(), piece.begin(), piece.end());
}

}  // namespace

LmdbResult<std::string_view> get_pieces(const LmdbReader& reader, LmdbTable table,
                                        std::string_view key, std::vector<char>& buffer) {
  auto piece = reader.get(table, key);
  if (!piece || !has_more_pieces(*piece)) return piece;
  buffer.clear();
  append(buffer, *piece);
  for (std::size_t number = 1; has_more_pieces(*piece) && number <= kMaxPieces; ++number) {
    piece = reader.get(table, key_of(key, number));
    if (!piece) return piece;
    append(buffer, *piece);
  }
  return std::string_view(buffer.data(), buffer.size());
}

LmdbResult<std::size_t> put_pieces(LmdbWriter& writer, LmdbTable table, std::string_view key,
                                   std::string_view value) {
  std::string_view piece = value.substr(0, kPieceSize);
  if (const auto put = writer.put(table, key, piece); !put) return tl::make_unexpected(put.error());
  std::size_t number = 0;
  while (has_more_pieces(piece)) {
    value.remove_prefix(kPieceSize);
    piece = value.substr(0, kPieceSize);
    if (const auto put = writer.put(table, key_of(key, ++number), piece); !put)
      return tl::make_unexpected(put.error());
  }
  return number;
}

LmdbResult<std::size_t> erase_further(LmdbWriter& writer, LmdbTable table, std::string_view key) {
  for (std::size_t number = 1; number <= kMaxPieces; ++number) {
    const auto erased = writer.erase(table, key_of(key, number));
    if (erased) continue;
    if (erased.error().missing()) return number - 1;
    return tl::make_unexpected(erased.error());
  }
  return kMaxPieces;
}

}  // namespace claimsd::store
