// json_parser.h: parses one JSON document strictly and wipes all copies on destruction. simdjson
// copies its input and every string into its own buffers, and these documents hold personal data.
//
// Uses simdjson's DOM parser, at most 32 levels deep. The On-Demand parser is too lax: it accepts
// two documents in one, bad atoms and any depth. Duplicate members and control characters pass
// here; the readers of members check them. Elements and strings live as long as the WipedJson. Buffers are reused (JsonBuffers). One thread.
#pragma once

#include <simdjson.h>

#include <string_view>

#include "daemon/base/result.h"
#include "daemon/claims/parse/json_buffers.h"

namespace claimsd::claims {

class WipedJson {
 public:
  // `buffers` must outlive this and serves one document at a time.
  explicit WipedJson(JsonBuffers& buffers) : buffers_(*buffers.buffers_) {}
  ~WipedJson();
  WipedJson(const WipedJson&) = delete;
  WipedJson& operator=(const WipedJson&) = delete;

  // Returns a buffer for `size` bytes of input. Call once.
  char* input(std::size_t size);
  // Parses the first `size` bytes of the input. The error never contains a value.
  Result<simdjson::dom::element> parse(std::size_t size);
  // The first `size` bytes of the input.
  std::string_view text(std::size_t size) const;
  // The same as parse(), but tolerates what only simdjson cannot represent (json_mask.h), which it replaces in
  // the input.
  Result<simdjson::dom::element> parse_tolerantly(std::size_t size);

 private:
  JsonBuffers::Buffers& buffers_;
  std::size_t size_ = 0;       // of the input buffer
  std::size_t parsed_ = 0;     // bytes parsed
  std::size_t tape_size_ = 0;  // in 8-byte words: how much of simdjson's tape may have been written
};

}  // namespace claimsd::claims
