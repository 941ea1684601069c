#include "daemon/admin/http_server.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <microhttpd.h>
#include <string.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <deque>
#include <optional>
#include <system_error>
#include <unordered_map>
#include <vector>

#include "daemon/admin/deferred_response.h"
#include "daemon/admin/routes.h"
#include "daemon/loop/loop.h"
#include "daemon/loop/poll.h"
#include "daemon/loop/timer.h"

namespace claimsd::daemon {
namespace {

// A request's body. All of its memory is reserved at once, because growing would leave copies
// behind.
class Body {
 public:
  explicit Body(std::size_t size) { bytes_.reserve(size); }
  ~Body() {
    if (bytes_.capacity() != 0) explicit_bzero(bytes_.data(), bytes_.capacity());
  }
  Body(const Body&) = delete;
  Body& operator=(const Body&) = delete;

  // False if it would exceed the announced size.
  bool append(const char* data, std::size_t size) {
    if (bytes_.capacity() - bytes_.size() < size) return false;
    bytes_.insert(bytes_.end(), data, data + size);
    return true;
  }
  std::string_view view() const { return {bytes_.data(), bytes_.size()}; }

  bool suspended = false;                // the handler deferred the response
  std::optional<HttpResponse> response;  // the deferred response, once it is there

 private:
  std::vector<char> bytes_;
};

struct ResponseRelease {
  void operator()(MHD_Response* response) const { MHD_destroy_response(response); }
};
using Response = std::unique_ptr<MHD_Response, ResponseRelease>;

Response make_response(const HttpResponse& from) {
  // MHD copies the text and only reads it. Its parameter is non-const for modes that take
  // ownership.
  Response response(MHD_create_response_from_buffer(
      from.body.size(), const_cast<char*>(from.body.data()), MHD_RESPMEM_MUST_COPY));
  if (!response) return response;
  MHD_add_response_header(response.get(), "Content-Type", from.content_type.c_str());
  MHD_add_response_header(response.get(), "Cache-Control", "no-store");
  MHD_add_response_header(response.get(), "Connection", "close");
  if (!from.allow.empty()) MHD_add_response_header(response.get(), "Allow", from.allow.c_str());
  return response;
}

MHD_Result answer(MHD_Connection* connection, const HttpResponse& with) {
  const Response response = make_response(with);
  return response ? MHD_queue_response(connection, with.status, response.get()) : MHD_NO;
}

const char* header(MHD_Connection* connection, const char* name) {
  return MHD_lookup_connection_value(connection, MHD_HEADER_KIND, name);
}

// The announced size of the body, or a response that rejects it.
tl::expected<std::size_t, HttpResponse> announced_body(MHD_Connection* connection,
                                                       std::size_t limit) {
  if (header(connection, "Transfer-Encoding") != nullptr) {
    return tl::make_unexpected(refusal(411, "length_required",
                                       "the request has a body but no Content-Length",
                                       "send a Content-Length instead of chunks"));
  }
  const char* const length = header(connection, "Content-Length");
  if (length == nullptr) return 0;
  const std::string_view text(length);
  std::size_t size = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), size);
  if (parsed.ec == std::errc{} && size <= limit) return size;
  return tl::make_unexpected(refusal(413, "too_large",
                                     fmt::format("the body is longer than {} bytes", limit),
                                     "send a shorter body"));
}

std::optional<PeerCredentials> peer_of(MHD_Connection* connection) {
  const auto* const info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
  if (info == nullptr) return std::nullopt;
  const auto peer = peer_credentials(info->connect_fd);
  // A TCP connection has no credentials; the kernel then returns uid -1.
  if (!peer || peer->uid == static_cast<uid_t>(-1)) return std::nullopt;
  return *peer;
}

MHD_Result keep_parameter(void* request, MHD_ValueKind, const char* key, const char* value) {
  static_cast<HttpRequest*>(request)->parameters.emplace_back(key, value == nullptr ? "" : value);
  return MHD_YES;
}

HttpRequest request_of(MHD_Connection* connection, const char* url, const char* method,
                       std::string_view body) {
  HttpRequest request{.method = method, .path = url, .body = body, .peer = peer_of(connection)};
  MHD_get_connection_values(connection, MHD_GET_ARGUMENT_KIND, &keep_parameter, &request);
  if (const char* const host = header(connection, "Host")) request.host = host;
  return request;
}

Status make_non_blocking(int fd) {
  const int flags = ::fcntl(fd, F_GETFL);
  if (flags >= 0 && ::fcntl(fd, F_SETFL, flags | O_NONBLOCK) == 0) return {};
  return failure(fmt::format("cannot prepare the admin API's listening socket: {}",
                             std::generic_category().message(errno)));
}

class MhdServer final : public HttpServer {
 public:
  MhdServer(Loop& loop, HttpHandler handler, const HttpLimits& limits)
      : handler_(std::move(handler)),
        limits_(limits),
        timer_(loop, [this] { run(); }),
        overdue_(loop, [this] { cut_off_overdue(); }) {}
  MhdServer(const MhdServer&) = delete;
  MhdServer& operator=(const MhdServer&) = delete;
  ~MhdServer() override;

  Status start(Loop& loop, Fd listening);
  std::size_t connections() const override;

 private:
  static MHD_Result on_request(void* self, MHD_Connection* connection, const char* url,
                               const char* method, const char* version, const char* data,
                               std::size_t* size, void** exchange);
  static void on_completed(void* self, MHD_Connection* connection, void** exchange,
                           MHD_RequestTerminationCode code);

  static void on_connection(void* self, MHD_Connection* connection, void** context,
                            MHD_ConnectionNotificationCode code);

  void cut_off_overdue();
  MHD_Result begin(MHD_Connection* connection, void** exchange);
  MHD_Result proceed(MHD_Connection* connection, const char* url, const char* method,
                     const char* data, std::size_t* size);
  MHD_Result respond(MHD_Connection* connection, Body& body, const HttpResponse& response);
  void resume(MHD_Connection* connection, HttpResponse response);
  void run();

  HttpHandler handler_;
  HttpLimits limits_;
  std::unordered_map<MHD_Connection*, Body> bodies_;            // of requests being received
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);  // for responses that come later
  bool resumed_ = false;  // a connection was resumed and must be run
  MHD_Daemon* daemon_ = nullptr;
  std::optional<Poll> poll_;
  Timer timer_;
  // In order of deadline: all connections have the same time limit, so the oldest is first.
  struct Connected {
    MHD_Connection* connection;
    Duration until;  // Loop::hrtime()
  };
  std::deque<Connected> connected_;
  Timer overdue_;
};

Status MhdServer::start(Loop& loop, Fd listening) {
  TRY(make_non_blocking(listening.get()));
  daemon_ = MHD_start_daemon(
      MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME, 0, nullptr, nullptr, &MhdServer::on_request,
      this,                                                      //
      MHD_OPTION_LISTEN_SOCKET, listening.get(),                 //
      MHD_OPTION_CONNECTION_LIMIT, limits_.connections,          //
      MHD_OPTION_CONNECTION_MEMORY_LIMIT, limits_.memory_bytes,  //
      MHD_OPTION_CONNECTION_TIMEOUT, static_cast<unsigned>(limits_.idle_timeout.count()),
      MHD_OPTION_STRICT_FOR_CLIENT, 1,                                //
      MHD_OPTION_NOTIFY_CONNECTION, &MhdServer::on_connection, this,  //
      MHD_OPTION_NOTIFY_COMPLETED, &MhdServer::on_completed, this, MHD_OPTION_END);
  if (daemon_ == nullptr) {
    return failure("cannot start the admin API: libmicrohttpd rejected its listening socket");
  }
  listening.release();  // MHD_stop_daemon closes it
  const auto* const info = MHD_get_daemon_info(daemon_, MHD_DAEMON_INFO_EPOLL_FD);
  if (info == nullptr || info->epoll_fd < 0) {
    return failure("cannot start the admin API: libmicrohttpd was built without epoll");
  }
  poll_ = TRY(Poll::create(loop, info->epoll_fd, [this](const PollEvents&) { run(); }));
  TRY(poll_->start(true, false));
  run();
  return {};
}

MhdServer::~MhdServer() {
  poll_.reset();  // before MHD closes the descriptor it watches
  timer_.stop();
  overdue_.stop();
  *alive_ = false;
  for (const auto& [connection, body] : bodies_) {
    // MHD_stop_daemon() must not find a suspended connection.
    if (body.suspended) MHD_resume_connection(connection);
  }
  if (daemon_ != nullptr) MHD_stop_daemon(daemon_);
}

std::size_t MhdServer::connections() const {
  const auto* const info = MHD_get_daemon_info(daemon_, MHD_DAEMON_INFO_CURRENT_CONNECTIONS);
  return info == nullptr ? 0 : info->num_connections;
}

// MHD watches its connections edge-triggered, so unread data shows in its timeout, not in its
// descriptor. Ask for the timeout after every run; 0 means the next loop iteration. One case is
// missing from it: after the connection limit was reached, MHD accepts again only when it is run
// once more.
void MhdServer::run() {
  const bool was_full = connections() >= limits_.connections;
  resumed_ = false;
  MHD_run(daemon_);
  MHD_UNSIGNED_LONG_LONG wait = 0;
  if (resumed_ || (was_full && connections() < limits_.connections)) {
    timer_.start({});
  } else if (MHD_get_timeout(daemon_, &wait) == MHD_YES) {
    timer_.start(milliseconds(wait));
  } else {
    timer_.stop();
  }
}

MHD_Result MhdServer::on_request(void* self, MHD_Connection* connection, const char* url,
                                 const char* method, const char* /*version*/, const char* data,
                                 std::size_t* size, void** exchange) {
  auto& server = *static_cast<MhdServer*>(self);
  try {  // only out of memory; it must not cross MHD, so close the connection
    if (*exchange == nullptr) return server.begin(connection, exchange);
    return server.proceed(connection, url, method, data, size);
  } catch (...) {
    return MHD_NO;
  }
}

// The headers have arrived.
MHD_Result MhdServer::begin(MHD_Connection* connection, void** exchange) {
  const auto size = announced_body(connection, limits_.body_bytes);
  if (!size) return answer(connection, size.error());
  *exchange = &bodies_.try_emplace(connection, *size).first->second;
  return MHD_YES;
}

// Part of the body has arrived; size 0: it is complete.
MHD_Result MhdServer::proceed(MHD_Connection* connection, const char* url, const char* method,
                              const char* data, std::size_t* size) {
  auto& body = bodies_.at(connection);
  if (*size == 0) {
    if (body.response) return answer(connection, *body.response);
    return respond(connection, body, handler_(request_of(connection, url, method, body.view())));
  }
  const bool fits = body.append(data, *size);
  // MHD's own buffer: writable, and not read again.
  explicit_bzero(const_cast<char*>(data), *size);
  *size = 0;
  return fits ? MHD_YES : MHD_NO;
}

// A deferred response suspends the connection.
MHD_Result MhdServer::respond(MHD_Connection* connection, Body& body,
                              const HttpResponse& response) {
  if (!response.later) return answer(connection, response);
  body.suspended = true;
  MHD_suspend_connection(connection);
  response.later->when_ready([this, connection, alive = alive_](HttpResponse ready) {
    if (*alive) resume(connection, std::move(ready));
  });
  return MHD_YES;
}

void MhdServer::resume(MHD_Connection* connection, HttpResponse response) {
  Body& body = bodies_.at(connection);  // a suspended connection does not end
  body.suspended = false;
  body.response = std::move(response);
  MHD_resume_connection(connection);
  resumed_ = true;  // possibly called from within run()
  timer_.start({});
}

void MhdServer::on_connection(void* self, MHD_Connection* connection, void** /*context*/,
                              MHD_ConnectionNotificationCode code) {
  auto& server = *static_cast<MhdServer*>(self);
  auto& connected = server.connected_;
  if (code == MHD_CONNECTION_NOTIFY_STARTED) {
    connected.push_back({connection, Loop::hrtime() + server.limits_.deadline});
    if (connected.size() == 1) server.overdue_.start(server.limits_.deadline);
    return;
  }
  const auto gone = std::find_if(connected.begin(), connected.end(), [&](const Connected& one) {
    return one.connection == connection;
  });
  if (gone != connected.end()) connected.erase(gone);
}

// MHD sees end of file and closes the connection.
void MhdServer::cut_off_overdue() {
  const Duration now = Loop::hrtime();
  while (!connected_.empty() && connected_.front().until <= now) {
    Connected overdue = connected_.front();
    connected_.pop_front();
    const auto body = bodies_.find(overdue.connection);
    if (body != bodies_.end() && body->second.suspended) {
      overdue.until = now + limits_.deadline;
      connected_.push_back(overdue);
      continue;
    }
    const auto* const info =
        MHD_get_connection_info(overdue.connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    if (info != nullptr) ::shutdown(info->connect_fd, SHUT_RDWR);
  }
  if (!connected_.empty()) overdue_.start(connected_.front().until - now);
}

void MhdServer::on_completed(void* self, MHD_Connection* connection, void** /*exchange*/,
                             MHD_RequestTerminationCode /*code*/) {
  static_cast<MhdServer*>(self)->bodies_.erase(connection);
}

}  // namespace

Result<std::unique_ptr<HttpServer>> HttpServer::create(Loop& loop, Fd listening,
                                                       HttpHandler handler,
                                                       const HttpLimits& limits) {
  auto server = std::make_unique<MhdServer>(loop, std::move(handler), limits);
  TRY(server->start(loop, std::move(listening)));
  return Result<std::unique_ptr<HttpServer>>(std::move(server));
}

}  // namespace claimsd::daemon
