// pieces.h: stores a value in pieces that fit into the nodes of LMDB's tree. A larger value would
// need contiguous pages: the search for them takes long in a fragmented file, and may fail although
// enough pages are free.
//
// The first piece is stored under the key itself, further ones under the key and a byte: 1, 2, …
// Neighbors in the tree, so they share pages. A piece of full size is followed by another one, which
// may be empty. Keys of one table must all have the same size. Loop thread.
#pragma once

#include <cstddef>
#include <string_view>
#include <vector>

#include "daemon/store/lmdb.h"

namespace claimsd::store {

// Two nodes with a key of 33 bytes and their headers fit into a page of 4 KiB.
inline constexpr std::size_t kPieceSize = 1960;
inline constexpr std::size_t kMaxPieces = 255;

inline bool has_more_pieces(std::string_view piece) {
  return piece.size() == kPieceSize;
}

// The value, pointing into the map or, if it has several pieces, into `buffer`.
LmdbResult<std::string_view> get_pieces(const LmdbReader& reader, LmdbTable table,
                                        std::string_view key, std::vector<char>& buffer);

// Each returns the number of further pieces that it wrote or erased. erase_further() leaves the first
// piece alone: call it before a value is replaced or erased.
LmdbResult<std::size_t> put_pieces(LmdbWriter& writer, LmdbTable table, std::string_view key,
                                   std::string_view value);
LmdbResult<std::size_t> erase_further(LmdbWriter& writer, LmdbTable table, std::string_view key);

}  // namespace claimsd::store
