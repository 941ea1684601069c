// json_parser.h: one JSON document, parsed strictly and wiped when it goes: simdjson copies its
// input and every string into buffers of its own, and what is parsed here are people's claims.
//
// simdjson's DOM parser, at most 32 levels deep (On-Demand accepts two documents in one, bad atoms
// and any depth). Elements and strings live as long as the WipedJson. One thread.
#pragma once

#include <simdjson.h>

#include <string_view>

#include "daemon/base/result.h"
#include "daemon/base/secret.h"

namespace claimsd::daemon {

class WipedJson {
 public:
  WipedJson() = default;
  ~WipedJson();
  WipedJson(const WipedJson&) = delete;
  WipedJson& operator=(const WipedJson&) = delete;

  // Room for `size` bytes of input, to be written to; once.
  char* input(std::size_t size);
  // Parses the first `size` bytes of it; once. The Error says what is wrong, never a value.
  Result<simdjson::dom::element> parse(std::size_t size);

 private:
  Secret input_;  // with simdjson's padding
  simdjson::dom::parser parser_;
  std::size_t strings_ = 0;  // bytes of the parser's string buffer
};

}  // namespace claimsd::daemon
