#include "daemon/front_door/http_thread.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <pthread.h>

#include <atomic>
#include <system_error>
#include <unordered_map>
#include <variant>

#include "daemon/front_door/shared_leases.h"
#include "daemon/http/deferred_response.h"
#include "daemon/http/server.h"
#include "daemon/loop/message_queue.h"
#include "daemon/loop/signals_blocked.h"
#include "proto/limits.h"

namespace claimsd::front_door {
namespace {

// Holds the longest token and the headers of a browser with its cookies. libmicrohttpd clears all
// of it after each request.
constexpr std::size_t kMemoryPerConnection = proto::kMaxToken + 16 * 1024;

struct Decided {
  std::uint64_t id = 0;
  Decision decision;
};
struct Map {
  Fd descriptor;
};
struct Stop {};
using Message = std::variant<Decided, Settings, Map, Stop>;

// What runs on the thread.
class Worker {
 public:
  Worker(Settings settings, loop::MessageQueue<Question>& questions)
      : settings_(std::move(settings)), questions_(questions) {}

  http::Response handle(const http::Request& request) {
    tl::expected<Check, http::Response> check = read_request(request, settings_);
    if (!check) {
      rejected.fetch_add(1, std::memory_order_relaxed);
      return std::move(check).error();
    }
    if (const auto decision = decide_by_lease(*check, request.peer)) {
      allowed.fetch_add(1, std::memory_order_relaxed);
      return response_of(*decision, settings_.realm);
    }
    const std::uint64_t id = ++last_id_;
    http::Response response;
    response.later = std::make_shared<http::DeferredResponse>();
    waiting_.emplace(id, response.later);
    questions_.push({.id = id,
                     .resource = check->resource,
                     .gate = std::string(check->gate),
                     .token = Secret(check->token),
                     .peer = request.peer,
                     .client_address = std::string(check->client_address),
                     .trace_id = std::string(check->trace_id),
                     .method = std::string(check->method)});
    return response;
  }

  void consume(Message&& message, loop::Loop& loop) {
    if (auto* const decided = std::get_if<Decided>(&message)) {
      respond(*decided);
    } else if (auto* const fresh = std::get_if<Settings>(&message)) {
      settings_ = std::move(*fresh);
    } else if (auto* const map = std::get_if<Map>(&message)) {
      leases_.use(std::move(map->descriptor));
    } else {
      loop.stop();
    }
  }

  std::atomic<std::uint64_t> rejected{0};
  std::atomic<std::uint64_t> allowed{0};

 private:
  // Only what is allowed and need not be recorded: everything else is the loop's.
  std::optional<Decision> decide_by_lease(const Check& check,
                                          const std::optional<loop::PeerCredentials>& peer) {
    const Target target = target_of(check.resource, check.gate, peer, settings_);
    if (target.kind != Decision::Kind::kAnswered) return std::nullopt;
    std::optional<SharedLeases::Found> found = leases_.find(target.upstream, check.token);
    if (!found || (target.gate == nullptr && !found->complete)) return std::nullopt;
    proto::ClaimsView claims;
    if (!proto::decode_claims(found->claims.view(), claims)) return std::nullopt;
    if (target.gate != nullptr && !target.gate->admits(claims)) return std::nullopt;
    Decision decision;
    decision.resource = check.resource;
    decision.reason = proto::Reason::kOk;
    decision.claims = std::move(found->claims);
    return decision;
  }

  void respond(const Decided& decided) {
    const auto found = waiting_.find(decided.id);
    if (found == waiting_.end()) return;
    const std::shared_ptr<http::DeferredResponse> response = std::move(found->second);
    waiting_.erase(found);
    response->fulfil(response_of(decided.decision, settings_.realm));
  }

  Settings settings_;
  SharedLeases leases_;
  loop::MessageQueue<Question>& questions_;
  std::uint64_t last_id_ = 0;
  std::unordered_map<std::uint64_t, std::shared_ptr<http::DeferredResponse>> waiting_;
};

}  // namespace

// Created before the thread starts and destroyed after it has ended, so it has one owner at a time.
// Members are destroyed in reverse order.
struct HttpThread::Parts {
  std::unique_ptr<loop::MessageQueue<Question>> questions;  // to the loop thread
  std::unique_ptr<loop::Loop> loop;                         // of the HTTP thread
  std::optional<Worker> worker;
  std::vector<std::unique_ptr<http::Server>> servers;
  std::unique_ptr<loop::MessageQueue<Message>> messages;  // to the HTTP thread
};

HttpThread::HttpThread(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}

Result<std::unique_ptr<HttpThread>> HttpThread::create(std::vector<Fd> listening, Settings settings,
                                                       const HttpLimits& limits, loop::Loop& loop,
                                                       Ask ask) {
  auto parts = std::make_unique<Parts>();
  Parts& in = *parts;
  in.questions = TRY(loop::MessageQueue<Question>::create(
      loop, [ask = std::move(ask)](Question&& question) { ask(std::move(question)); }));
  in.loop = TRY(loop::Loop::create());
  in.worker.emplace(std::move(settings), *in.questions);
  for (Fd& socket : listening) {
    in.servers.push_back(TRY(http::Server::create(
        *in.loop, std::move(socket),
        [&in](const http::Request& request) { return in.worker->handle(request); },
        {.connections = limits.connections,
         .connections_per_uid = limits.connections_per_uid,
         .body_bytes = 0,
         .memory_bytes = kMemoryPerConnection,
         .idle_timeout = limits.idle_timeout,
         .deadline = limits.idle_timeout,
         .keep_alive = true,
         .raw_path = true})));
  }
  in.messages = TRY(loop::MessageQueue<Message>::create(
      *in.loop, [&in](Message&& message) { in.worker->consume(std::move(message), *in.loop); }));
  std::unique_ptr<HttpThread> self(new HttpThread(std::move(parts)));
  TRY(self->run());
  return self;
}

Status HttpThread::run() {
  const loop::SignalsBlocked blocked;
  try {
    thread_ = std::thread([loop = parts_->loop.get()] {
      pthread_setname_np(pthread_self(), "claimsd-http");
      loop->run();
    });
  } catch (const std::system_error& error) {
    return failure(fmt::format("cannot start the HTTP thread: {}; raise TasksMax", error.what()));
  }
  return {};
}

HttpThread::~HttpThread() {
  if (!thread_.joinable()) return;
  parts_->messages->push(Stop{});
  thread_.join();
}

void HttpThread::decide(std::uint64_t id, Decision decision) {
  parts_->messages->push(Decided{id, std::move(decision)});
}

void HttpThread::reconfigure(Settings settings) {
  parts_->messages->push(std::move(settings));
}

void HttpThread::use_map(int descriptor) {
  parts_->messages->push(Map{Fd(descriptor < 0 ? -1 : ::fcntl(descriptor, F_DUPFD_CLOEXEC, 3))});
}

std::size_t HttpThread::connections() const {
  std::size_t sum = 0;
  for (const auto& server : parts_->servers) sum += server->connections();
  return sum;
}

std::uint64_t HttpThread::rejected() const {
  return parts_->worker->rejected.load(std::memory_order_relaxed);
}

std::uint64_t HttpThread::allowed() const {
  return parts_->worker->allowed.load(std::memory_order_relaxed);
}

}  // namespace claimsd::front_door
