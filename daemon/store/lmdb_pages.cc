#include "daemon/store/lmdb_pages.h"

#include <fmt/core.h>

#include <bit>
#include <cstring>
#include <optional>
#include <vector>

#include "daemon/store/lmdb_format.h"

namespace claimsd::store {
namespace lmdb {  // the terms of the format
namespace {

template <class T>
T load(std::string_view bytes, std::size_t at = 0) {
  T value;
  std::memcpy(&value, bytes.data() + at, sizeof value);
  return value;
}

// The keys a page may hold: from `from` to before `to`.
struct Range {
  std::optional<std::string_view> from;
  std::optional<std::string_view> to;
};

struct Page {
  std::uint64_t number;
  bool leaf;
  std::vector<std::string_view> keys;
  std::vector<std::uint64_t> children;  // of a branch page
};

class PageCheck {
 public:
  explicit PageCheck(std::string_view file) : file_(file) {}

  Status run() {
    const bool sound = read_headers() && check_free_pages() && check_tables();
    if (!sound) return failure(fault_);
    return {};
  }

 private:
  enum class Kind : std::uint8_t { kFreePages, kMain, kNamed };

  bool damaged(std::uint64_t page, const char* what) {
    fault_ = fmt::format("page {} is damaged ({})", page, what);
    return false;
  }

  bool read_headers();
  bool read_header(std::uint64_t page, Header& header);
  bool check_free_pages();
  bool take_free_pages(std::uint64_t page, std::string_view key, std::string_view list);
  bool check_tables();
  bool check_tree(const Tree& tree, Kind kind);
  bool check_page(std::uint64_t number, unsigned levels, const Range& range);
  bool read_nodes(Page& page);
  bool check_order(const Page& page, const Range& range) const;
  bool check_node(const Page& page, std::string_view bytes, std::size_t at);
  bool check_value(std::uint64_t page, std::string_view bytes, std::size_t at);
  bool find_big_value(std::uint64_t page, std::string_view bytes, std::size_t at,
                      std::string_view& value);
  bool use(std::uint64_t page);
  bool in_order(std::string_view one, std::string_view other) const {
    if (kind_ != Kind::kFreePages) return one < other;
    return load<std::uint64_t>(one) < load<std::uint64_t>(other);
  }
  // Empty or too short if the file ends before.
  std::string_view bytes_of(std::uint64_t number, std::size_t pages = 1) const {
    const std::size_t at = number * page_size_;
    return at < file_.size() ? file_.substr(at, pages * page_size_) : std::string_view();
  }

  const std::string_view file_;
  std::size_t page_size_ = 0;
  Header header_{};
  std::vector<bool> used_;        // by page: in a tree, or free
  std::vector<Tree> named_;       // the tables found in the main tree
  Kind kind_ = Kind::kFreePages;  // of the tree being checked
  std::uint64_t entries_ = 0;     // found in it
  std::string fault_;
};

bool PageCheck::read_header(std::uint64_t number, Header& header) {
  const std::size_t at = number * page_size_;
  if (file_.size() < at + kPageHeader + sizeof header) return damaged(number, "it is cut off");
  header = load<Header>(file_, at + kPageHeader);
  const auto front = load<PageHeader>(file_, at);
  if (front.number != number || front.flags != kHeaderPage || header.magic != kMagic ||
      header.version != kDataVersion) {
    return damaged(number, "it is not a header");
  }
  return true;
}

// Each transaction rewrites the header that it finds at its number's last bit. Both are always
// valid: LMDB would use the older one, and with it older data, if the newer one were not.
bool PageCheck::read_headers() {
  Header other{};
  if (!read_header(0, header_)) return false;
  page_size_ = header_.free.pad;
  if (!std::has_single_bit(page_size_) || page_size_ < 512 || page_size_ > 32768)
    return damaged(0, "its page size");
  if (!read_header(1, other)) return false;
  const std::uint64_t first = header_.transaction;
  const std::uint64_t second = other.transaction;
  const bool fresh = first == 0 && second == 0;
  if (!fresh && (first % 2 != 0 || second % 2 != 1 || (first + 1 != second && second + 1 != first)))
    return damaged(second > first ? 1 : 0, "its transaction number");
  if (other.free.pad != page_size_) return damaged(1, "its page size");
  if (second > first) header_ = other;
  if (header_.last_page < 1 || header_.last_page > file_.size())
    return damaged(second > first ? 1 : 0, "its number of pages");
  used_.resize(header_.last_page + 1);
  return true;
}

// Marks a page as used. False if it is outside the file or used twice.
bool PageCheck::use(std::uint64_t number) {
  if (number < kFirstPage || number > header_.last_page) return false;
  if (used_[number]) return false;
  used_[number] = true;
  return true;
}

bool PageCheck::check_free_pages() {
  if ((header_.free.flags & kTableFlags) != kIntegerKeys) return damaged(0, "its flags");
  return check_tree(header_.free, Kind::kFreePages);
}

bool PageCheck::check_tables() {
  if (!check_tree(header_.main, Kind::kMain)) return false;
  for (const Tree& tree : named_) {
    if (!check_tree(tree, Kind::kNamed)) return false;
  }
  return true;
}

bool PageCheck::check_tree(const Tree& tree, Kind kind) {
  kind_ = kind;
  entries_ = 0;
  if (kind != Kind::kFreePages && tree.flags != 0) return damaged(tree.root, "its table's flags");
  if (tree.depth > kMaxDepth || (tree.root == kNoPage) != (tree.depth == 0))
    return damaged(tree.root, "its tree's depth");
  if (tree.root != kNoPage && !check_page(tree.root, tree.depth, {})) return false;
  if (entries_ != tree.entries) return damaged(tree.root, "its tree's number of entries");
  return true;
}

bool PageCheck::check_page(std::uint64_t number, unsigned levels, const Range& range) {
  Page page{.number = number, .leaf = levels == 1, .keys = {}, .children = {}};
  if (!use(number)) return damaged(number, "it is used twice, or does not exist");
  if (!read_nodes(page)) return false;
  if (!check_order(page, range)) return damaged(number, "the order of its keys");
  if (page.leaf) entries_ += page.keys.size();
  for (std::size_t i = 0; i < page.children.size(); ++i) {
    const bool last = i + 1 == page.children.size();
    const Range below{i == 0 ? range.from : page.keys[i], last ? range.to : page.keys[i + 1]};
    if (!check_page(page.children[i], levels - 1, below)) return false;
  }
  return true;
}

bool PageCheck::read_nodes(Page& page) {
  const std::string_view bytes = bytes_of(page.number);
  if (bytes.size() != page_size_) return damaged(page.number, "it is cut off");
  const auto header = load<PageHeader>(bytes);
  if (header.number != page.number || header.flags != (page.leaf ? kLeaf : kBranch))
    return damaged(page.number, "its header");
  if (header.lower < kPageHeader || header.lower % 2 != 0 || header.upper < header.lower ||
      header.upper > page_size_) {
    return damaged(page.number, "its free space");
  }
  const std::size_t nodes = (header.lower - kPageHeader) / 2;
  const bool may_be_single = page.leaf || kind_ == Kind::kFreePages;
  if (nodes < (may_be_single ? 1 : 2)) return damaged(page.number, "its number of nodes");
  std::size_t size = 0;
  for (std::size_t i = 0; i < nodes; ++i) {
    const auto at = load<std::uint16_t>(bytes, kPageHeader + 2 * i);
    if (at < header.upper) return damaged(page.number, "a node's position");
    if (!check_node(page, bytes, at)) return false;
    const auto node = load<Node>(bytes, at);
    page.keys.push_back(bytes.substr(at + kNodeHeader, node.key_size));
    if (!page.leaf) page.children.push_back(node.child());
    const std::size_t value = page.leaf ? node.inline_size() : 0;
    size += (kNodeHeader + node.key_size + value + 1) & ~std::size_t{1};
  }
  // Nodes lie without gaps, so they do not overlap if their sizes add up.
  return size == page_size_ - header.upper || damaged(page.number, "its nodes' size");
}

// The first key of a branch page is not used.
bool PageCheck::check_order(const Page& page, const Range& range) const {
  const std::size_t first = page.leaf ? 0 : 1;
  for (std::size_t i = first; i < page.keys.size(); ++i) {
    const std::string_view key = page.keys[i];
    if (kind_ == Kind::kFreePages && key.size() != sizeof(std::uint64_t)) return false;
    if (i > first && !in_order(page.keys[i - 1], key)) return false;
    if (range.from && in_order(key, *range.from)) return false;
    if (range.to && !in_order(key, *range.to)) return false;
  }
  return true;
}

bool PageCheck::check_node(const Page& page, std::string_view bytes, std::size_t at) {
  const std::uint64_t number = page.number;
  if (at + kNodeHeader > page_size_) return damaged(number, "a node's position");
  const auto node = load<Node>(bytes, at);
  if (node.key_size > kMaxKey || at + kNodeHeader + node.key_size > page_size_)
    return damaged(number, "a key's size");
  if (kind_ == Kind::kFreePages && page.leaf && node.key_size != sizeof(std::uint64_t))
    return damaged(number, "a key's size");
  return !page.leaf || check_value(number, bytes, at);
}

bool PageCheck::check_value(std::uint64_t number, std::string_view bytes, std::size_t at) {
  const auto node = load<Node>(bytes, at);
  const std::size_t value_at = at + kNodeHeader + node.key_size;
  std::string_view value;
  if (node.flags == kBigValue) {
    if (!find_big_value(number, bytes, value_at, value)) return false;
    if (node.value_size() > value.size()) return damaged(number, "a value's size");
    value = value.substr(0, node.value_size());
  } else {
    if (value_at + node.value_size() > page_size_) return damaged(number, "a value's size");
    value = bytes.substr(value_at, node.value_size());
  }
  if (kind_ == Kind::kFreePages) {
    if (node.flags != 0 && node.flags != kBigValue) return damaged(number, "a node's flags");
    return take_free_pages(number, bytes.substr(at + kNodeHeader, node.key_size), value);
  }
  if (node.flags == kNamedTable && kind_ == Kind::kMain && value.size() == sizeof(Tree)) {
    named_.push_back(load<Tree>(value));
    return true;
  }
  if (node.flags != 0 && node.flags != kBigValue) return damaged(number, "a node's flags");
  return true;
}

// `value`: the content of the overflow pages that the node names.
bool PageCheck::find_big_value(std::uint64_t number, std::string_view bytes, std::size_t at,
                               std::string_view& value) {
  if (at + sizeof(std::uint64_t) > page_size_) return damaged(number, "a value's size");
  const auto first = load<std::uint64_t>(bytes, at);
  if (first < kFirstPage || first > header_.last_page) return damaged(number, "a value's page");
  const std::string_view start = bytes_of(first);
  if (start.size() != page_size_) return damaged(first, "it is cut off");
  const auto header = load<PageHeader>(start);
  const std::size_t pages = header.lower | static_cast<std::size_t>(header.upper) << 16;
  if (header.number != first || header.flags != kOverflow || pages == 0)
    return damaged(first, "its header");
  for (std::size_t i = 0; i < pages; ++i) {
    if (!use(first + i)) return damaged(first, "its number of pages");
  }
  const std::string_view run = bytes_of(first, pages);
  if (run.size() != pages * page_size_) return damaged(first, "it is cut off");
  value = run.substr(kPageHeader);
  return true;
}

// A list of free pages, in descending order behind its length. Its key is the transaction that
// freed them.
bool PageCheck::take_free_pages(std::uint64_t number, std::string_view key, std::string_view list) {
  constexpr std::size_t kEach = sizeof(std::uint64_t);
  const auto transaction = load<std::uint64_t>(key);
  if (transaction < 1 || transaction > header_.transaction || list.size() < kEach ||
      list.size() % kEach != 0 || load<std::uint64_t>(list) > list.size() / kEach - 1) {
    return damaged(number, "a list of free pages");
  }
  const auto count = load<std::uint64_t>(list);
  std::uint64_t before = kNoPage;
  for (std::uint64_t i = 1; i <= count; ++i) {
    const auto page = load<std::uint64_t>(list, i * kEach);
    if (page >= before || !use(page)) return damaged(number, "a list of free pages");
    before = page;
  }
  return true;
}

}  // namespace
}  // namespace lmdb

Status check_lmdb_pages(std::string_view file) {
  if (file.empty()) return {};
  return lmdb::PageCheck(file).run();
}

}  // namespace claimsd::store
