// reply_reader.h: parses replies with hiredis, within bounds. Pure; one thread.
//
// hiredis 0.14.1 allocates whatever an array header announces: 16 GiB for "*2147483647". So its
// replies are built here, and a reply with more values or bytes than allowed is an error. After an
// error the reader, and the connection that feeds it, must be dropped.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string_view>

#include "daemon/base/result.h"
#include "daemon/redis/value.h"

struct redisReader;

namespace claimsd::redis {

inline constexpr std::size_t kMaxReplyBytes = 4 * 1024 * 1024;
inline constexpr std::size_t kMaxReplyValues = 64 * 1024;
inline constexpr std::size_t kMaxReplyDepth = 8;

class ReplyReader {
 public:
  ReplyReader();

  // Adds bytes as received. An error: the current reply is too long.
  Status feed(std::string_view bytes);
  // The next complete reply; nullopt: more bytes are needed.
  Result<std::optional<Value>> next();

 private:
  struct Free {
    void operator()(redisReader* reader) const;
  };
  std::unique_ptr<redisReader, Free> reader_;
  std::size_t unfinished_ = 0;           // bytes of the current reply, and those after it
  std::unique_ptr<std::size_t> values_;  // of the current reply; hiredis' callbacks point to it
};

}  // namespace claimsd::redis
