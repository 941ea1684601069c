// stream.h: a TCP connection to a Redis server, with or without TLS. Move-only; one thread.
//
// Blocks at most until the deadlines that it is given. After an error the stream must be dropped.
// SIGPIPE must be ignored.
#pragma once

#include <optional>
#include <span>
#include <string_view>

#include "daemon/base/fd.h"
#include "daemon/redis/endpoint.h"
#include "daemon/redis/resolver.h"
#include "daemon/redis/tls.h"
#include "daemon/redis/wait.h"

namespace claimsd::redis {

class Stream {
 public:
  // The error has no address: the caller names it.
  static Result<Stream> connect(const Endpoint& endpoint, const crypto::TlsCredentials& credentials,
                                Resolver& resolver, const Wait& wait, BootTime deadline);

  Status write(std::string_view bytes, const Wait& wait, BootTime deadline);
  // Waits for at least one byte.
  Result<std::size_t> read(std::span<char> into, const Wait& wait, BootTime deadline);
  // Reads what is there; 0: nothing is.
  Result<std::size_t> read_ready(std::span<char> into);
  int fd() const { return fd_.get(); }

 private:
  Status start_tls(const std::string& host, const crypto::TlsCredentials& credentials,
                   const Wait& wait, BootTime deadline);
  Result<TlsSession::Step> try_read(std::span<char> into);
  Result<TlsSession::Step> try_write(std::string_view bytes);

  Fd fd_;
  std::optional<TlsSession> tls_;
};

}  // namespace claimsd::redis
