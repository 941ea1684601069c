#include "daemon/claims/parse/json_parser.h"

#include <fmt/core.h>
#include <string.h>  // explicit_bzero(3)

#include <algorithm>

#include "daemon/base/secret.h"
#include "daemon/claims/parse/json_mask.h"

namespace claimsd::claims {
namespace {

constexpr std::size_t kMaxDepth = 32;

// Large enough for claims and JWT payloads. Larger documents release their buffers, which take
// fourteen times the input's size.
constexpr std::size_t kKeptInput = 4096;

// Minimum space that dom::document::allocate() reserves for the strings of an input of this size:
// each is stored with its length and a NUL.
constexpr std::size_t string_bytes(std::size_t input) {
  return 5 * input / 3;
}

// The same for its tape, which holds the numbers.
constexpr std::size_t tape_words(std::size_t input) {
  return input + 3;
}

constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";

bool begins_with_mark(std::string_view text) {
  return text.substr(0, kByteOrderMark.size()) == kByteOrderMark;
}

// Number of tape words in use. The first word holds the index after the last one (simdjson's
// doc/tape.md).
std::size_t tape_end(const simdjson::dom::document& parsed) {
  constexpr std::uint64_t kPayload = (std::uint64_t{1} << 56) - 1;
  return static_cast<std::size_t>(parsed.tape[0] & kPayload);
}

}  // namespace

struct JsonBuffers::Buffers {
  Secret input;  // includes simdjson's padding
  simdjson::dom::parser parser;
};

JsonBuffers::JsonBuffers() : buffers_(std::make_unique<Buffers>()) {}

JsonBuffers::~JsonBuffers() = default;

WipedJson::~WipedJson() {
  if (size_ > kKeptInput) {
    buffers_.input.wipe();
  } else if (size_ > 0) {
    explicit_bzero(buffers_.input.data(), size_);
  }
  if (parsed_ == 0) return;
  explicit_bzero(buffers_.parser.doc.string_buf.get(), string_bytes(parsed_));
  explicit_bzero(buffers_.parser.doc.tape.get(), tape_size_ * sizeof(std::uint64_t));
  if (parsed_ > kKeptInput) buffers_.parser = simdjson::dom::parser();
}

char* WipedJson::input(std::size_t size) {
  size_ = size;
  const std::size_t buffers = std::max(size, kKeptInput) + simdjson::SIMDJSON_PADDING;
  if (buffers_.input.view().size() < buffers) buffers_.input = Secret(buffers);
  return buffers_.input.data();
}

Result<simdjson::dom::element> WipedJson::parse(std::size_t size) {
  if (size == 0) return failure("not a single JSON document: empty");
  simdjson::dom::parser& parser = buffers_.parser;
  const std::size_t wanted = std::max(size, kKeptInput) + 1;
  if ((parser.capacity() <= size && parser.allocate(wanted, kMaxDepth) != simdjson::SUCCESS) ||
      (parser.doc.capacity() <= size && parser.doc.allocate(wanted) != simdjson::SUCCESS)) {
    return failure("out of memory while parsing");
  }
  parsed_ = size;
  tape_size_ = tape_words(size);  // after a parse error, any part of it may have been written
  // One byte order mark is ignored, as RFC 8259, section 8.1, allows. Newer versions of simdjson
  // ignore one themselves.
  const std::size_t mark = begins_with_mark(text(size)) ? kByteOrderMark.size() : 0;
  if (begins_with_mark(text(size).substr(mark)))
    return failure("not a single JSON document: two byte order marks");
  // Do not let simdjson reallocate: the copy could not be wiped.
  constexpr bool kReallocate = false;
  simdjson::dom::element root;
  if (const auto error =
          parser.parse(buffers_.input.data() + mark, size - mark, kReallocate).get(root);
      error != simdjson::SUCCESS) {
    return failure(fmt::format("not a single JSON document: {}", simdjson::error_message(error)));
  }
  tape_size_ = std::min(tape_size_, tape_end(parser.doc));
  return root;
}

std::string_view WipedJson::text(std::size_t size) const {
  return buffers_.input.view().substr(0, size);
}

Result<simdjson::dom::element> WipedJson::parse_tolerantly(std::size_t size) {
  auto strict = parse(size);
  if (strict || size == 0 || !mask_unrepresentable(buffers_.input.data(), size)) return strict;
  return parse(size);
}

}  // namespace claimsd::claims
