#include "daemon/claims/json_parser.h"

#include <fmt/format.h>

namespace claimsd::daemon {
namespace {

constexpr std::size_t kMaxDepth = 32;

// What dom::document::allocate() reserves at least for the strings of so many bytes of input: each
// is stored with its length and a NUL.
constexpr std::size_t string_bytes(std::size_t input) {
  return 5 * input / 3;
}

}  // namespace

WipedJson::~WipedJson() {
  if (parser_.doc.string_buf) explicit_bzero(parser_.doc.string_buf.get(), strings_);
}

char* WipedJson::input(std::size_t size) {
  input_ = Secret(size + simdjson::SIMDJSON_PADDING);
  return input_.data();
}

Result<simdjson::dom::element> WipedJson::parse(std::size_t size) {
  if (size == 0) return failure("not one JSON document: empty");
  if (parser_.allocate(size + 1, kMaxDepth) != simdjson::SUCCESS) {
    return failure("no memory to parse it");
  }
  strings_ = string_bytes(size);
  // Not reallocated: it would be copied to where it cannot be wiped.
  constexpr bool kReallocate = false;
  simdjson::dom::element root;
  if (const auto error = parser_.parse(input_.data(), size, kReallocate).get(root);
      error != simdjson::SUCCESS) {
    return failure(fmt::format("not one JSON document: {}", simdjson::error_message(error)));
  }
  return root;
}

}  // namespace claimsd::daemon
