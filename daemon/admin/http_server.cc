#include "daemon/admin/http_server.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <microhttpd.h>
#include <string.h>  // explicit_bzero(3)
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <optional>
#include <unordered_map>
#include <vector>

#include "daemon/admin/routes.h"
#include "daemon/base/wiped_buffer.h"
#include "daemon/http/deferred_response.h"
#include "daemon/http/exchange.h"
#include "daemon/http/json_response.h"
#include "daemon/loop/loop.h"
#include "daemon/loop/poll.h"
#include "daemon/loop/stream_listener.h"
#include "daemon/loop/timer.h"

namespace claimsd::admin {
namespace {

// A request's body, and its response if that comes later.
struct Body {
  explicit Body(std::size_t announced) : size(announced) { bytes.reserve(announced); }

  // False if it would exceed the announced size.
  bool append(std::string_view part) {
    if (size - bytes.size() < part.size()) return false;
    bytes.append(part);
    return true;
  }

  const std::size_t size;
  WipedBuffer bytes;
  std::shared_ptr<http::DeferredResponse> later;  // set while the response is deferred
  std::optional<loop::Poll> hang_up;              // reports meanwhile that the client has left
  std::optional<http::Response> response;         // the deferred response, once it is there
};

Status check_listening(int fd) {
  const int flags = ::fcntl(fd, F_GETFL);
  int listens = 0;
  socklen_t size = sizeof listens;
  if (::getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &size) == 0 && listens == 1 &&
      flags >= 0 && ::fcntl(fd, F_SETFL, flags | O_NONBLOCK) == 0)
    return {};
  return failure("cannot start the admin API: its descriptor is not a listening socket");
}

// A connection carries one request.
MHD_Result respond_once(MHD_Connection* connection, const http::Response& with) {
  return http::respond(connection, with, false);
}

class MhdServer final : public HttpServer {
 public:
  MhdServer(loop::Loop& loop, http::Handler handler, const HttpLimits& limits)
      : loop_(loop),
        handler_(std::move(handler)),
        limits_(limits),
        slots_(limits.slots),
        timer_(loop, [this] { run(); }),
        overdue_(loop, [this] { cut_off_overdue(); }) {}
  MhdServer(const MhdServer&) = delete;
  MhdServer& operator=(const MhdServer&) = delete;
  ~MhdServer() override;

  Status start(Fd listening);
  std::size_t connections() const override;

 private:
  static MHD_Result on_request(void* self, MHD_Connection* connection, const char* url,
                               const char* method, const char* version, const char* data,
                               std::size_t* size, void** exchange);
  static void on_completed(void* self, MHD_Connection* connection, void** exchange,
                           MHD_RequestTerminationCode code);

  static void on_connection(void* self, MHD_Connection* connection, void** context,
                            MHD_ConnectionNotificationCode code);

  static void* on_uri(void* self, const char* uri, MHD_Connection* connection);

  struct Connected {
    MHD_Connection* connection;
    ConnectionSlots::Id id;
    Duration until;  // Loop::hrtime()
  };

  Duration time_for_request() const { return std::min(limits_.request_timeout, limits_.deadline); }
  void accept(Fd fd);
  void close(ConnectionSlots::Id id);
  ConnectionSlots::Id take_added(int fd);
  Connected* find(MHD_Connection* connection);
  void cut_off_overdue();
  void wait_for_overdue();
  MHD_Result serve(MHD_Connection* connection, Body& body, const http::Request& request);
  void abandon(MHD_Connection* connection);
  MHD_Result begin(MHD_Connection* connection, void** exchange);
  MHD_Result proceed(MHD_Connection* connection, const char* url, const char* method,
                     const char* data, std::size_t* size);
  MHD_Result respond(MHD_Connection* connection, Body& body, const http::Response& response);
  void resume(MHD_Connection* connection, http::Response response);
  void run();

  loop::Loop& loop_;
  http::Handler handler_;
  HttpLimits limits_;
  ConnectionSlots slots_;
  ConnectionSlots::Id next_id_ = 1;
  std::unordered_map<MHD_Connection*, Body> bodies_;            // of requests being received
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);  // for responses that come later
  bool resumed_ = false;  // a connection was resumed and must be run
  MHD_Daemon* daemon_ = nullptr;
  std::optional<loop::Poll> poll_;
  loop::Timer timer_;
  std::vector<std::pair<int, ConnectionSlots::Id>> added_;  // descriptors, until on_connection()
  std::vector<Connected> connected_;
  loop::Timer overdue_;
  Duration ran_at_{};                             // Loop::hrtime()
  std::optional<loop::StreamListener> listener_;  // destroyed first
};

Status MhdServer::start(Fd listening) {
  TRY(check_listening(listening.get()));
  // Connections that were displaced still count until libmicrohttpd has closed them.
  const auto most = static_cast<unsigned>(2 * (limits_.slots.connections + limits_.slots.actions));
  daemon_ = MHD_start_daemon(
      MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_NO_LISTEN_SOCKET, 0, nullptr, nullptr,
      &MhdServer::on_request, this,                              //
      MHD_OPTION_CONNECTION_LIMIT, most,                         //
      MHD_OPTION_URI_LOG_CALLBACK, &MhdServer::on_uri, this,     //
      MHD_OPTION_CONNECTION_MEMORY_LIMIT, limits_.memory_bytes,  //
      MHD_OPTION_CONNECTION_TIMEOUT, static_cast<unsigned>(limits_.idle_timeout.count()),
      MHD_OPTION_STRICT_FOR_CLIENT, 1,                                //
      MHD_OPTION_NOTIFY_CONNECTION, &MhdServer::on_connection, this,  //
      MHD_OPTION_NOTIFY_COMPLETED, &MhdServer::on_completed, this, MHD_OPTION_END);
  if (daemon_ == nullptr) {
    return failure("cannot start the admin API: libmicrohttpd did not start");
  }
  const auto* const info = MHD_get_daemon_info(daemon_, MHD_DAEMON_INFO_EPOLL_FD);
  if (info == nullptr || info->epoll_fd < 0) {
    return failure("cannot start the admin API: libmicrohttpd was built without epoll");
  }
  poll_ =
      TRY(loop::Poll::create(loop_, info->epoll_fd, [this](const loop::PollEvents&) { run(); }));
  TRY(poll_->start(true, false));
  listener_ = TRY(loop::StreamListener::adopt_any(
      loop_, std::move(listening),
      {.on_connection = [this](Fd fd) { accept(std::move(fd)); }, .on_error = [](int) {}}));
  return {};
}

void MhdServer::accept(Fd fd) {
  const auto peer = loop::peer_credentials(fd.get());
  const ConnectionSlots::Id id = next_id_++;
  const ConnectionSlots::Entry entry = slots_.enter(id, peer ? peer->uid : ConnectionSlots::kNoUid);
  if (entry.displaced) close(*entry.displaced);
  if (!entry.admitted) {
    return http::respond_raw(fd.get(), "503 Service Unavailable",
                             http::error_response(503, "too_many_connections",
                                                  "the admin API serves no more requests now",
                                                  "close other clients, such as claimsctl monitor")
                                 .body);
  }
  sockaddr_storage address{};
  socklen_t size = sizeof address;
  ::getpeername(fd.get(), reinterpret_cast<sockaddr*>(&address), &size);
  const int descriptor = fd.release();  // MHD closes it, also if it fails
  added_.emplace_back(descriptor, id);
  if (MHD_add_connection(daemon_, descriptor, reinterpret_cast<sockaddr*>(&address), size) !=
      MHD_YES) {
    slots_.leave(take_added(descriptor));
  }
  timer_.start({});
}

ConnectionSlots::Id MhdServer::take_added(int fd) {
  const auto found =
      std::find_if(added_.begin(), added_.end(), [&](const auto& one) { return one.first == fd; });
  if (found == added_.end()) return 0;  // no slot has this id
  const ConnectionSlots::Id id = found->second;
  added_.erase(found);
  return id;
}

// MHD sees end of file and closes the connection.
void MhdServer::close(ConnectionSlots::Id id) {
  for (const Connected& one : connected_) {
    if (one.id == id) ::shutdown(http::descriptor_of(one.connection), SHUT_RDWR);
  }
}

MhdServer::Connected* MhdServer::find(MHD_Connection* connection) {
  const auto found = std::find_if(connected_.begin(), connected_.end(), [&](const Connected& one) {
    return one.connection == connection;
  });
  return found == connected_.end() ? nullptr : &*found;
}

// Called before MHD parses the parameters. Each takes more of its memory than of the request.
void* MhdServer::on_uri(void* self, const char* uri, MHD_Connection* connection) {
  const auto& server = *static_cast<MhdServer*>(self);
  const std::string_view text(uri);
  if (std::count(text.begin(), text.end(), '&') >=
      static_cast<std::ptrdiff_t>(server.limits_.parameters)) {
    const int fd = http::descriptor_of(connection);
    http::respond_raw(fd, "414 URI Too Long",
                      http::error_response(414, "too_many_parameters",
                                           fmt::format("at most {} parameters are accepted",
                                                       server.limits_.parameters),
                                           "see GET / for the parameters of each path")
                          .body);
    ::shutdown(fd, SHUT_RDWR);
  }
  return nullptr;  // the initial value of on_request's `exchange`
}

MhdServer::~MhdServer() {
  listener_.reset();
  poll_.reset();  // before MHD closes the descriptor it watches
  timer_.stop();
  overdue_.stop();
  *alive_ = false;
  for (auto& [connection, body] : bodies_) {
    // MHD_stop_daemon() must not find a suspended connection.
    body.hang_up.reset();
    if (body.later) MHD_resume_connection(connection);
  }
  if (daemon_ != nullptr) MHD_stop_daemon(daemon_);
}

std::size_t MhdServer::connections() const {
  const auto* const info = MHD_get_daemon_info(daemon_, MHD_DAEMON_INFO_CURRENT_CONNECTIONS);
  return info == nullptr ? 0 : info->num_connections;
}

// MHD watches its connections edge-triggered, so unread data shows in its timeout, not in its
// descriptor. Ask for the timeout after every run; 0 means the next loop iteration.
void MhdServer::run() {
  if (limits_.pause > Duration(0)) {
    const Duration since = loop::Loop::hrtime() - ran_at_;
    if (since < limits_.pause) {
      poll_->stop();
      return timer_.start(limits_.pause - since);
    }
  }
  resumed_ = false;
  MHD_run(daemon_);
  if (limits_.pause > Duration(0)) {
    ran_at_ = loop::Loop::hrtime();
    (void)poll_->start(true, false);
  }
  MHD_UNSIGNED_LONG_LONG wait = 0;
  if (resumed_) {
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
  const auto headers = static_cast<unsigned>(
      MHD_get_connection_values(connection, MHD_HEADER_KIND, nullptr, nullptr));
  if (headers > limits_.headers) {
    http::respond_raw(
        http::descriptor_of(connection), "431 Request Header Fields Too Large",
        http::error_response(431, "too_many_headers",
                             fmt::format("at most {} headers are accepted", limits_.headers),
                             "send fewer")
            .body);
    return MHD_NO;
  }
  const auto size = http::announced_body(connection, limits_.body_bytes);
  if (!size) return respond_once(connection, size.error());
  *exchange = &bodies_.try_emplace(connection, *size).first->second;
  return MHD_YES;
}

// Part of the body has arrived; size 0: it is complete.
MHD_Result MhdServer::proceed(MHD_Connection* connection, const char* url, const char* method,
                              const char* data, std::size_t* size) {
  auto& body = bodies_.at(connection);
  if (*size == 0) {
    if (body.response) return respond_once(connection, *body.response);
    return serve(connection, body,
                 http::request_of(connection, url, method, body.bytes.view(),
                                  http::peer_of(http::descriptor_of(connection))));
  }
  const bool fits = body.append({data, *size});
  // MHD's own buffer: writable, and not read again.
  explicit_bzero(const_cast<char*>(data), *size);
  *size = 0;
  return fits ? MHD_YES : MHD_NO;
}

// The request is complete.
MHD_Result MhdServer::serve(MHD_Connection* connection, Body& body, const http::Request& request) {
  Connected* const connected = find(connection);
  if (connected == nullptr) return MHD_NO;
  connected->until += limits_.deadline - time_for_request();
  const bool is_action = limits_.is_action && limits_.is_action(request);
  if (!slots_.begin_request(connected->id, is_action)) {
    return respond_once(
        connection, http::error_response(
                        503, "too_many_connections",
                        "all connections of the admin API are in use, and the rest is reserved for "
                        "revocations and purges",
                        "close other clients, such as claimsctl monitor, and try again"));
  }
  return respond(connection, body, handler_(request));
}

// A deferred response suspends the connection.
MHD_Result MhdServer::respond(MHD_Connection* connection, Body& body,
                              const http::Response& response) {
  if (!response.later) return respond_once(connection, response);
  body.later = response.later;
  MHD_suspend_connection(connection);
  auto hang_up =
      loop::Poll::create(loop_, http::descriptor_of(connection),
                         [this, connection](const loop::PollEvents&) { abandon(connection); });
  // Without it, the slot is in use until the response is there.
  if (hang_up && hang_up->watch_hang_up()) body.hang_up = std::move(*hang_up);
  response.later->when_ready([this, connection, alive = alive_](http::Response ready) {
    if (*alive) resume(connection, std::move(ready));
  });
  return MHD_YES;
}

// The client of a deferred response has left.
void MhdServer::abandon(MHD_Connection* connection) {
  const std::shared_ptr<http::DeferredResponse> later = bodies_.at(connection).later;
  later->abandon();
  resume(connection,
         http::error_response(499, "client_left", "the client has closed the connection", ""));
}

void MhdServer::resume(MHD_Connection* connection, http::Response response) {
  Body& body = bodies_.at(connection);  // a suspended connection does not end
  body.later.reset();
  body.hang_up.reset();
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
    connected.push_back({.connection = connection,
                         .id = server.take_added(http::descriptor_of(connection)),
                         .until = loop::Loop::hrtime() + server.time_for_request()});
    return server.wait_for_overdue();
  }
  if (const Connected* const gone = server.find(connection)) server.slots_.leave(gone->id);
  std::erase_if(connected, [&](const Connected& one) { return one.connection == connection; });
}

// MHD sees end of file and closes the connection.
void MhdServer::cut_off_overdue() {
  const Duration now = loop::Loop::hrtime();
  for (Connected& one : connected_) {
    if (one.until > now) continue;
    const auto body = bodies_.find(one.connection);
    if (body == bodies_.end() || !body->second.later)
      ::shutdown(http::descriptor_of(one.connection), SHUT_RDWR);
    one.until = now + limits_.deadline;
  }
  wait_for_overdue();
}

void MhdServer::wait_for_overdue() {
  if (connected_.empty()) return;
  const auto next = std::min_element(
      connected_.begin(), connected_.end(),
      [](const Connected& one, const Connected& other) { return one.until < other.until; });
  overdue_.start(std::max(Duration(0), next->until - loop::Loop::hrtime()));
}

void MhdServer::on_completed(void* self, MHD_Connection* connection, void** /*exchange*/,
                             MHD_RequestTerminationCode /*code*/) {
  static_cast<MhdServer*>(self)->bodies_.erase(connection);
}

}  // namespace

Result<std::unique_ptr<HttpServer>> HttpServer::create(loop::Loop& loop, Fd listening,
                                                       http::Handler handler,
                                                       const HttpLimits& limits) {
  auto server = std::make_unique<MhdServer>(loop, std::move(handler), limits);
  TRY(server->start(std::move(listening)));
  return Result<std::unique_ptr<HttpServer>>(std::move(server));
}

}  // namespace claimsd::admin
