#include <fmt/core.h>
#include <hiredis/hiredis.h>

#include <array>
#include <utility>

#include "tests/bench/peers.h"
#include "tests/bench/socket.h"
#include "tests/bench/workload.h"

namespace claimsd::bench {
namespace {

struct FreeReply {
  void operator()(redisReply* reply) const { ::freeReplyObject(reply); }
};
using Reply = std::unique_ptr<redisReply, FreeReply>;

struct FreeContext {
  void operator()(redisContext* context) const { ::redisFree(context); }
};
using Context = std::unique_ptr<redisContext, FreeContext>;

// A command in the wire format (RESP), built once.
std::string command(const std::vector<std::string>& words) {
  std::string text = fmt::format("*{}\r\n", words.size());
  for (const std::string& word : words) text += fmt::format("${}\r\n{}\r\n", word.size(), word);
  return text;
}

class Redis final : public Contender {
 public:
  Redis(Process server, Context context)
      : server_(std::move(server)), context_(std::move(context)) {}

  std::string name() const override { return "redis"; }
  std::vector<pid_t> servers() const override { return {server_.pid()}; }
  Status fill() {
    TRY(call(command({"SET", cache_key(), claims_json()})));
    if (reply_->type != REDIS_REPLY_STATUS) return failure("SET was rejected");
    return {};
  }
  Status prepare() override {
    reply_.reset();
    return {};
  }
  Status ask() override { return call(get_); }
  Status check() override {
    if (reply_->type != REDIS_REPLY_STRING || reply_->len != kClaimsSize)
      return failure("GET found no claims");
    return {};
  }

 private:
  Status call(const std::string& wire) {
    void* reply = nullptr;
    if (::redisAppendFormattedCommand(context_.get(), wire.data(), wire.size()) != REDIS_OK ||
        ::redisGetReply(context_.get(), &reply) != REDIS_OK) {
      return failure(fmt::format("the request to Redis failed: {}", context_->errstr));
    }
    reply_.reset(static_cast<redisReply*>(reply));
    return {};
  }

  Process server_;
  Context context_;
  Reply reply_;
  const std::string get_ = command({"GET", cache_key()});
};

}  // namespace

Result<ContenderPtr> start_redis(const Scratch& scratch) {
  const std::string socket = scratch.path("redis.sock");
  auto server =
      TRY(Process::start({"redis-server", "--port", "0", "--unixsocket", socket, "--save", "",
                          "--appendonly", "no", "--daemonize", "no", "--dir", scratch.path("")},
                         {.log_path = scratch.path("redis.log"), .environment = {}}));
  TRY(server.wait_listening(socket, std::chrono::seconds(5)));
  Context context(::redisConnectUnixWithTimeout(
      socket.c_str(), timeval{.tv_sec = kPatience.count(), .tv_usec = 0}));
  if (!context || context->err != 0)
    return failure(fmt::format("cannot connect to Redis on {}", socket));
  ::redisSetTimeout(context.get(), timeval{.tv_sec = kPatience.count(), .tv_usec = 0});
  auto redis = std::make_unique<Redis>(std::move(server), std::move(context));
  TRY(redis->fill());
  return redis;
}

}  // namespace claimsd::bench
