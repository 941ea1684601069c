#include "daemon/http/server.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <microhttpd.h>
#include <string.h>  // explicit_bzero(3)
#include <sys/socket.h>

#include <atomic>
#include <cerrno>
#include <system_error>
#include <unordered_map>

#include "daemon/http/connection.h"
#include "daemon/http/deferred_response.h"
#include "daemon/http/exchange.h"
#include "daemon/loop/loop.h"
#include "daemon/loop/poll.h"
#include "daemon/loop/timer.h"

namespace claimsd::http {
namespace {

Status make_non_blocking(int fd) {
  const int flags = ::fcntl(fd, F_GETFL);
  if (flags >= 0 && ::fcntl(fd, F_SETFL, flags | O_NONBLOCK) == 0) return {};
  return failure(fmt::format("cannot prepare the HTTP listening socket: {}",
                             std::generic_category().message(errno)));
}

// For MHD_OPTION_UNESCAPE_CALLBACK: leaves the text as it is.
std::size_t raw_path(void*, MHD_Connection*, char* text) {
  return std::string_view(text).size();
}

class MhdServer final : public Server {
 public:
  MhdServer(loop::Loop& loop, Handler handler, const Limits& limits)
      : handler_(std::move(handler)),
        limits_(limits),
        timer_(loop, [this] { run(); }),
        overdue_(loop, [this] { cut_off_overdue(); }) {}
  MhdServer(const MhdServer&) = delete;
  MhdServer& operator=(const MhdServer&) = delete;
  ~MhdServer() override;

  Status start(loop::Loop& loop, Fd listening);
  std::size_t connections() const override;

 private:
  static MHD_Result on_request(void* self, MHD_Connection* handle, const char* url,
                               const char* method, const char* version, const char* data,
                               std::size_t* size, void** exchange);
  static void on_completed(void* self, MHD_Connection* handle, void** exchange,
                           MHD_RequestTerminationCode code);
  static void on_connection(void* self, MHD_Connection* handle, void** context,
                            MHD_ConnectionNotificationCode code);

  void opened(MHD_Connection* handle, void** context);
  void closed(Connection& connection);
  void cut_off_overdue();
  MHD_Result begin(Connection& connection, void** exchange);
  MHD_Result proceed(Connection& connection, const char* url, const char* method, const char* data,
                     std::size_t* size);
  MHD_Result respond(Connection& connection, const Response& response);
  MHD_Result send(Connection& connection, const Response& response);
  void resume(Connection& connection, Response response);
  void completed(Connection& connection);
  bool is_full() const;
  void run();

  Handler handler_;
  Limits limits_;
  Connections connections_;
  std::atomic<std::size_t> open_{0};  // their number, for other threads
  std::unordered_map<std::uint32_t, unsigned> by_uid_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);  // for responses that come later
  bool resumed_ = false;  // a connection was resumed and must be run
  MHD_Daemon* daemon_ = nullptr;
  std::optional<loop::Poll> poll_;
  loop::Timer timer_;
  loop::Timer overdue_;
};

Status MhdServer::start(loop::Loop& loop, Fd listening) {
  TRY(make_non_blocking(listening.get()));
  const MHD_OptionItem raw[] = {
      {MHD_OPTION_UNESCAPE_CALLBACK, reinterpret_cast<intptr_t>(&raw_path), nullptr},
      {MHD_OPTION_END, 0, nullptr}};
  const MHD_OptionItem none[] = {{MHD_OPTION_END, 0, nullptr}};
  daemon_ = MHD_start_daemon(
      MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME, 0, nullptr, nullptr, &MhdServer::on_request,
      this,                                                      //
      MHD_OPTION_LISTEN_SOCKET, listening.get(),                 //
      MHD_OPTION_CONNECTION_LIMIT, limits_.connections,          //
      MHD_OPTION_CONNECTION_MEMORY_LIMIT, limits_.memory_bytes,  //
      MHD_OPTION_CONNECTION_TIMEOUT, static_cast<unsigned>(limits_.idle_timeout.count()),
      MHD_OPTION_STRICT_FOR_CLIENT, 1,                                //
      MHD_OPTION_NOTIFY_CONNECTION, &MhdServer::on_connection, this,  //
      MHD_OPTION_NOTIFY_COMPLETED, &MhdServer::on_completed, this,    //
      MHD_OPTION_ARRAY, limits_.raw_path ? raw : none, MHD_OPTION_END);
  if (daemon_ == nullptr) {
    return failure("cannot start the HTTP server: libmicrohttpd rejected its listening socket");
  }
  listening.release();  // MHD_stop_daemon closes it
  const auto* const info = MHD_get_daemon_info(daemon_, MHD_DAEMON_INFO_EPOLL_FD);
  if (info == nullptr || info->epoll_fd < 0) {
    return failure("cannot start the HTTP server: libmicrohttpd was built without epoll");
  }
  poll_ = TRY(loop::Poll::create(loop, info->epoll_fd, [this](const loop::PollEvents&) { run(); }));
  TRY(poll_->start(true, false));
  run();
  return {};
}

MhdServer::~MhdServer() {
  poll_.reset();  // before MHD closes the descriptor it watches
  timer_.stop();
  overdue_.stop();
  *alive_ = false;
  for (Connection& connection : connections_) {
    // MHD_stop_daemon() must not find a suspended connection.
    if (connection.suspended) MHD_resume_connection(connection.handle);
  }
  if (daemon_ != nullptr) MHD_stop_daemon(daemon_);
}

std::size_t MhdServer::connections() const {
  return open_.load(std::memory_order_relaxed);
}

// As libmicrohttpd counts them.
bool MhdServer::is_full() const {
  const auto* const info = MHD_get_daemon_info(daemon_, MHD_DAEMON_INFO_CURRENT_CONNECTIONS);
  return info != nullptr && info->num_connections >= limits_.connections;
}

// MHD watches its connections edge-triggered, so unread data shows in its timeout, not in its
// descriptor. Ask for the timeout after every run; 0 means the next loop iteration. One case is
// missing from it: after the connection limit was reached, MHD accepts again only when it is run
// once more.
void MhdServer::run() {
  const bool was_full = is_full();
  resumed_ = false;
  MHD_run(daemon_);
  MHD_UNSIGNED_LONG_LONG wait = 0;
  if (resumed_ || (was_full && !is_full())) {
    timer_.start({});
  } else if (MHD_get_timeout(daemon_, &wait) == MHD_YES) {
    timer_.start(milliseconds(wait));
  } else {
    timer_.stop();
  }
}

void MhdServer::on_connection(void* self, MHD_Connection* handle, void** context,
                              MHD_ConnectionNotificationCode code) {
  auto& server = *static_cast<MhdServer*>(self);
  try {
    if (code == MHD_CONNECTION_NOTIFY_STARTED) return server.opened(handle, context);
  } catch (...) {  // only out of memory; a connection without a context is closed at its request
    *context = nullptr;
    return;
  }
  if (*context != nullptr) server.closed(*static_cast<Connection*>(*context));
}

void MhdServer::opened(MHD_Connection* handle, void** context) {
  Connection& connection = connections_.emplace_back();
  open_.store(connections_.size(), std::memory_order_relaxed);
  connection.place = std::prev(connections_.end());
  connection.handle = handle;
  connection.peer = peer_of(descriptor_of(handle));
  connection.until = loop::Loop::hrtime() + limits_.deadline;
  *context = &connection;
  if (connections_.size() == 1) overdue_.start(limits_.deadline);
  if (!connection.peer) return;
  connection.counted = true;
  if (++by_uid_[connection.peer->uid] > limits_.connections_per_uid)
    ::shutdown(descriptor_of(handle), SHUT_RDWR);
}

void MhdServer::closed(Connection& connection) {
  if (connection.counted) {
    const auto uid = by_uid_.find(connection.peer->uid);
    if (--uid->second == 0) by_uid_.erase(uid);
  }
  connections_.erase(connection.place);
  open_.store(connections_.size(), std::memory_order_relaxed);
}

// MHD sees end of file and closes the connection.
void MhdServer::cut_off_overdue() {
  const Duration now = loop::Loop::hrtime();
  while (!connections_.empty() && connections_.front().until <= now) {
    Connection& overdue = connections_.front();
    overdue.until = now + limits_.deadline;
    connections_.splice(connections_.end(), connections_, connections_.begin());
    if (!overdue.suspended) ::shutdown(descriptor_of(overdue.handle), SHUT_RDWR);
  }
  if (!connections_.empty()) overdue_.start(connections_.front().until - now);
}

MHD_Result MhdServer::on_request(void* self, MHD_Connection* handle, const char* url,
                                 const char* method, const char* /*version*/, const char* data,
                                 std::size_t* size, void** exchange) {
  auto& server = *static_cast<MhdServer*>(self);
  const auto* const info = MHD_get_connection_info(handle, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
  if (info == nullptr || info->socket_context == nullptr) return MHD_NO;
  auto& connection = *static_cast<Connection*>(info->socket_context);
  try {  // only out of memory; it must not cross MHD, so close the connection
    if (*exchange == nullptr) return server.begin(connection, exchange);
    return server.proceed(connection, url, method, data, size);
  } catch (...) {
    return MHD_NO;
  }
}

// The headers have arrived.
MHD_Result MhdServer::begin(Connection& connection, void** exchange) {
  *exchange = &connection;
  auto size = announced_body(connection.handle, limits_.body_bytes);
  if (!size) {
    size.error().close = true;  // what follows may be the body
    return send(connection, size.error());
  }
  connection.body_size = *size;
  connection.body.emplace();
  connection.body->reserve(*size);
  return MHD_YES;
}

// Part of the body has arrived; size 0: it is complete.
MHD_Result MhdServer::proceed(Connection& connection, const char* url, const char* method,
                              const char* data, std::size_t* size) {
  if (!connection.body) return MHD_NO;  // rejected by begin()
  if (*size == 0) {
    if (connection.response) return send(connection, *connection.response);
    return respond(connection, handler_(request_of(connection.handle, url, method,
                                                   connection.body->view(), connection.peer)));
  }
  const bool fits = connection.body_size - connection.body->size() >= *size;
  if (fits) connection.body->append({data, *size});
  // MHD's own buffer: writable, and not read again.
  explicit_bzero(const_cast<char*>(data), *size);
  *size = 0;
  return fits ? MHD_YES : MHD_NO;
}

// A deferred response suspends the connection.
MHD_Result MhdServer::respond(Connection& connection, const Response& response) {
  if (!response.later) return send(connection, response);
  connection.suspended = true;
  MHD_suspend_connection(connection.handle);
  response.later->when_ready([this, to = &connection, alive = alive_](Response ready) {
    if (*alive) resume(*to, std::move(ready));  // a suspended connection does not end
  });
  return MHD_YES;
}

MHD_Result MhdServer::send(Connection& connection, const Response& response) {
  return http::respond(connection.handle, response, limits_.keep_alive);
}

void MhdServer::resume(Connection& connection, Response response) {
  connection.suspended = false;
  connection.response = std::move(response);
  MHD_resume_connection(connection.handle);
  resumed_ = true;  // possibly called from within run()
  timer_.start({});
}

void MhdServer::on_completed(void* self, MHD_Connection* /*handle*/, void** exchange,
                             MHD_RequestTerminationCode /*code*/) {
  if (*exchange != nullptr)
    static_cast<MhdServer*>(self)->completed(*static_cast<Connection*>(*exchange));
}

void MhdServer::completed(Connection& connection) {
  connection.body.reset();
  connection.response.reset();
  if (!limits_.keep_alive) return;
  connection.until = loop::Loop::hrtime() + limits_.deadline;
  connections_.splice(connections_.end(), connections_, connection.place);
}

}  // namespace

Result<std::unique_ptr<Server>> Server::create(loop::Loop& loop, Fd listening, Handler handler,
                                               const Limits& limits) {
  auto server = std::make_unique<MhdServer>(loop, std::move(handler), limits);
  TRY(server->start(loop, std::move(listening)));
  return Result<std::unique_ptr<Server>>(std::move(server));
}

}  // namespace claimsd::http
