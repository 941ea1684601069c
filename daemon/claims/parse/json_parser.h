// json_parser.h: one JSON document, parsed strictly and wiped when it goes: simdjson copies its
// input and every string into buffers of its own, and what is parsed here are people's claims.
//
// simdjson's DOM parser, at most 32 levels deep (On-Demand accepts two documents in one, bad atoms
// and any depth). Elements and strings live as long as the WipedJson. The buffers are a JsonRoom's.
// One thread.
#pragma once

#include <simdjson.h>

#include "daemon/base/result.h"
#include "daemon/claims/parse/json_room.h"

namespace claimsd::daemon {

class WipedJson {
 public:
  // The only one in the room, which must outlive it.
  explicit WipedJson(JsonRoom& room) : room_(*room.buffers_) {}
  ~WipedJson();
  WipedJson(const WipedJson&) = delete;
  WipedJson& operator=(const WipedJson&) = delete;

  // Room for `size` bytes of input, to be written to; once.
  char* input(std::size_t size);
  // Parses the first `size` bytes of it; once. The Error says what is wrong, never a value.
  Result<simdjson::dom::element> parse(std::size_t size);

 private:
  JsonRoom::Buffers& room_;
  std::size_t size_ = 0;       // of the input
  std::size_t parsed_ = 0;     // of it
  std::size_t tape_size_ = 0;  // in words of 8 bytes: what may have been written of simdjson's tape
};

}  // namespace claimsd::daemon
