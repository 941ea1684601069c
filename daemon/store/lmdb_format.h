// lmdb_format.h: the bytes of an LMDB data file, as far as lmdb_pages.h checks them. Source: lmdb
// 0.9.24, mdb.c ("MDB_page", "MDB_node", "MDB_db", "MDB_meta"), data version 1; unchanged in 0.9.31.
//
// A page begins with a PageHeader. A header page holds a Header; a branch or leaf page holds the
// 16-bit positions of its nodes, free space, and the nodes; a run of overflow pages holds one value.
#pragma once

#include <cstddef>
#include <cstdint>

namespace claimsd::store::lmdb {

inline constexpr std::uint32_t kMagic = 0xBEEFC0DE;
inline constexpr std::uint32_t kDataVersion = 1;
inline constexpr std::size_t kPageHeader = 16;
inline constexpr std::size_t kNodeHeader = 8;
inline constexpr std::size_t kMaxKey = 511;
inline constexpr unsigned kMaxDepth = 32;  // CURSOR_STACK
inline constexpr std::uint64_t kNoPage = ~std::uint64_t{0};
inline constexpr std::uint64_t kFirstPage = 2;  // behind the two headers

inline constexpr std::uint16_t kBranch = 1;
inline constexpr std::uint16_t kLeaf = 2;
inline constexpr std::uint16_t kOverflow = 4;
inline constexpr std::uint16_t kHeaderPage = 8;

inline constexpr std::uint16_t kBigValue = 1;    // the value is on overflow pages
inline constexpr std::uint16_t kNamedTable = 2;  // the value describes another tree

inline constexpr std::uint16_t kTableFlags = 0x7f;  // the options of a table, and a fixed address
inline constexpr std::uint16_t kIntegerKeys = 0x08;

struct PageHeader {
  std::uint64_t number;
  std::uint16_t pad;
  std::uint16_t flags;
  std::uint16_t lower;
  std::uint16_t upper;  // with `lower`: the number of pages, on an overflow page
};
static_assert(sizeof(PageHeader) == kPageHeader);

struct Node {
  std::uint16_t low;
  std::uint16_t high;
  std::uint16_t flags;
  std::uint16_t key_size;

  std::uint32_t value_size() const { return low | static_cast<std::uint32_t>(high) << 16; }
  std::uint32_t inline_size() const {
    return flags == kBigValue ? sizeof(std::uint64_t) : value_size();
  }
  std::uint64_t child() const { return value_size() | static_cast<std::uint64_t>(flags) << 32; }
};
static_assert(sizeof(Node) == kNodeHeader);

struct Tree {
  std::uint32_t pad;  // of the tree of free pages: the page size
  std::uint16_t flags;
  std::uint16_t depth;
  std::uint64_t branch_pages;
  std::uint64_t leaf_pages;
  std::uint64_t overflow_pages;
  std::uint64_t entries;
  std::uint64_t root;
};
static_assert(sizeof(Tree) == 48);

struct Header {
  std::uint32_t magic;
  std::uint32_t version;
  std::uint64_t address;
  std::uint64_t map_size;
  Tree free;
  Tree main;
  std::uint64_t last_page;
  std::uint64_t transaction;
};
static_assert(sizeof(Header) == 136);

}  // namespace claimsd::store::lmdb
