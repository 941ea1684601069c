// connection.h: an authenticated connection to one Redis server: commands and their replies.
// Move-only; one thread.
//
// A call blocks at most until its deadline. An Error means that the connection failed and must be
// dropped. What the server answered, errors included, is a Value.
#pragma once

#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "daemon/redis/credentials.h"
#include "daemon/redis/reply_reader.h"
#include "daemon/redis/stream.h"

namespace claimsd::redis {

class Connection {
 public:
  // Connects. Does not authenticate.
  static Result<Connection> open(const Endpoint& endpoint, const Credentials& credentials,
                                 Resolver& resolver, const Wait& wait, BootTime deadline);

  // AUTH, if there is a password. The error says what the server refused.
  Status authenticate(const std::string& user, const Secret& password, BootTime deadline);

  // Sends formatted commands (command.h).
  Status send(std::string_view commands, BootTime deadline);
  Result<Value> receive(BootTime deadline);
  // The next reply if it has arrived.
  Result<std::optional<Value>> receive_ready();
  Result<Value> call(std::initializer_list<std::string_view> arguments, BootTime deadline);

  const Endpoint& endpoint() const { return endpoint_; }
  int fd() const { return stream_.fd(); }

 private:
  Connection(Endpoint endpoint, Stream stream, const Wait& wait);
  Error named(const Error& error) const;

  Endpoint endpoint_;
  Stream stream_;
  Wait wait_;
  std::unique_ptr<ReplyReader> replies_;
};

}  // namespace claimsd::redis
