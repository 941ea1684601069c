#include "daemon/server/server.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <vector>

#include "daemon/server/connection.h"

namespace claimsd::server {
namespace {

constexpr Duration kSweepInterval = milliseconds(500);
constexpr Duration kPauseOfFloods = milliseconds(1);
// Refused clients after which new ones wait in the kernel's backlog for one pause.
constexpr std::size_t kRefusalsPerPause = 16;
// Refusals that are shown to operators one by one: a flood must not push other events out.
constexpr claims::Rate kShown{.per_second = 10, .burst = 100};
constexpr std::size_t kMaxRefusal = 512;  // a Failure frame with its text

}  // namespace

Server::Server(loop::Loop& loop, Settings settings, Log& log)
    : loop_(loop),
      settings_(std::move(settings)),
      log_(log),
      admission_(settings_.admission),
      shown_(kShown, {}),
      idle_(loop, [this] { run_iteration(); }) {}

Result<std::unique_ptr<Server>> Server::create(loop::Loop& loop, Settings settings, Log& log) {
  std::unique_ptr<Server> server(new Server(loop, std::move(settings), log));
  server->sweep_ =
      TRY(loop::TimerFd::create(loop, [self = server.get()] { self->close_slow_clients(); }));
  server->pause_ = TRY(loop::TimerFd::create(loop, [self = server.get()] { self->end_pauses(); }));
  return server;
}

Server::~Server() = default;

void Server::connect(SessionContext context) {
  context_ = std::make_unique<SessionContext>(std::move(context));
}

Counters Server::counters() const {
  Counters counters = counters_;
  if (context_) counters.worker_hits = context_->worker_hits;
  return counters;
}

Status Server::open(const loop::ListenOptions& options) {
  listener_ = std::make_unique<loop::StreamListener>(
      TRY(loop::StreamListener::listen(loop_, options, handlers())));
  return {};
}

Status Server::open(Fd inherited) {
  listener_ = std::make_unique<loop::StreamListener>(
      TRY(loop::StreamListener::adopt(loop_, std::move(inherited), handlers())));
  return {};
}

loop::StreamListener::Handlers Server::handlers() {
  return {
      .on_connection = [this](Fd fd) { accept(std::move(fd)); },
      .on_error =
          [this](int error) {
            log_.error(
                "accept_failed",
                "cannot accept a connection: {}: raise LimitNOFILE or lower daemon.max_connections",
                std::strerror(error));
          }};
}

void Server::reconfigure(Settings settings) {
  admission_.set_policy(settings.admission);
  settings_ = std::move(settings);
  std::vector<std::uint64_t> strangers;
  for (const auto& [id, connection] : connections_) {
    if (!admission_.allows(connection->uid(), connection->gid())) strangers.push_back(id);
  }
  for (const std::uint64_t id : strangers) {
    log_.info("peer_cut_off", "closed a connection of uid {}: the user is no longer allowed",
              connections_.at(id)->uid());
    close(id);
  }
}

void Server::replace_map(int descriptor) {
  context_->map_descriptor = descriptor;
  for (const auto& [id, connection] : connections_) {
    if (connection->session().holds_map()) connection->set_retiring();
  }
  retire();
}

void Server::retire() {
  std::vector<std::uint64_t> idle;
  for (const auto& [id, connection] : connections_) {
    if (connection->retires()) idle.push_back(id);
  }
  for (const std::uint64_t id : idle) close(id);
}

void Server::accept(Fd fd) {
  Result<loop::PeerCredentials> peer = loop::peer_credentials(fd.get());
  if (!peer) {
    log_.warning("peer_unknown", "rejected a connection: {}", peer.error().message);
    return;
  }
  const BootTime now = context_->clock.now().boot;
  if (const auto why = admission_.enter(peer->uid, peer->gid, now))
    return turn_away(fd, *peer, *why);
  const std::uint64_t id = next_connection_++;
  auto connection = std::make_unique<Connection>(*this, id);
  if (const Status adopted = connection->adopt(std::move(fd), *peer, peers_.enter(peer->uid));
      !adopted) {
    leave(peer->uid);
    log_.error("accept_failed", "{}", adopted.error().message);
    return;
  }
  ++counters_.connections_accepted;
  if (!connection->start_reading()) return leave(peer->uid);
  connections_.emplace(id, std::move(connection));
  if (!sweep_->active()) sweep_->start(kSweepInterval, kSweepInterval);
}

// Costs one system call and no memory: any user who can open the socket may cause this at any rate.
// The client may have sent its Hello already, or has left.
void Server::turn_away(const Fd& fd, const loop::PeerCredentials& peer, proto::FailureCode why) {
  ++counters_.connections_refused;
  count_refusal(refusals_, why, peer.uid, context_->clock.now().boot);
  const std::string text = admission_.text_of(why);
  std::array<char, kMaxRefusal> frame;  // NOLINT: only what was written is read
  const std::size_t size =
      proto::encode(proto::Failure{.code = static_cast<std::uint16_t>(why), .text = text}, 0,
                    frame.data(), frame.size());
  loop::send_once(fd.get(), {frame.data(), size});
  // Otherwise a flood keeps the loop busy, and the kernel preempts it in favor of others.
  if (++refused_in_a_row_ == kRefusalsPerPause && listener_) {
    listener_->pause();
    if (!pause_->active()) pause_->start(kPauseOfFloods);
  }
  shown_.fill(kShown, context_->clock.now().boot);
  if (on_refused_ && shown_.has(0)) {
    shown_.take();
    on_refused_(peer.uid, why);
  }
  log_.warning("peer_refused", "rejected a connection of uid {}, gid {}: {}", peer.uid, peer.gid,
               text);
}

void Server::leave(std::uint32_t uid) {
  admission_.leave(uid);
  peers_.leave(uid);
}

// A failing connection is only marked here: its session may be further up the call stack.
void Server::answer(const claims::Waiter& waiter, const claims::Answer& answer) {
  Connection* const to = find(waiter.connection);
  if (to == nullptr) return;
  to->session().answer(waiter.request, answer);
  // A valid answer is sent at once: waiting an iteration could overtake a revocation.
  if (batching_ && answer.reason == proto::Reason::kOk && to->is_busy()) to->send_batched();
}

void Server::receipt(const claims::Waiter& waiter, proto::Reason reason) {
  if (Connection* const to = find(waiter.connection)) to->session().receipt(waiter.request, reason);
}

Server::Connection* Server::find(std::uint64_t id) const {
  const auto found = connections_.find(id);
  return found == connections_.end() ? nullptr : found->second.get();
}

void Server::end_batch(bool last) {
  batching_ = false;
  std::erase_if(batched_, [this](std::uint64_t id) {
    Connection* const connection = find(id);
    if (connection != nullptr && connection->is_busy()) return false;
    if (connection != nullptr) connection->send_batched();
    return true;
  });
  if (!last || batched_.empty()) return;
  to_send_.insert(to_send_.end(), batched_.begin(), batched_.end());
  batched_.clear();
  idle_.start();
}

const loop::PeerCredentials* Server::peer(std::uint64_t connection) const {
  Connection* const found = find(connection);
  return found == nullptr ? nullptr : &found->named_peer();
}

void Server::close(std::uint64_t id) {
  const auto found = connections_.find(id);
  if (found == connections_.end()) return;
  // Remove it from the table first, so that nothing below can find it again.
  const std::unique_ptr<Connection> connection = std::move(found->second);
  connections_.erase(found);
  if (connection->session().open_queries() > 0) context_->service.disconnected(id);
  leave(connection->uid());
}

void Server::defer(std::uint64_t id, bool pauses) {
  if (!pauses) {
    deferred_.push_back(id);
    return idle_.start();
  }
  pausing_.push_back(id);
  if (!pause_->active()) pause_->start(kPauseOfFloods);
}

void Server::end_pauses() {
  peers_.reset_rejected();
  if (std::exchange(refused_in_a_row_, 0) >= kRefusalsPerPause && listener_)
    (void)listener_->resume();
  for (const std::uint64_t id : std::exchange(pausing_, {})) deferred_.push_back(id);
  if (!deferred_.empty()) idle_.start();
}

// One piece of work per loop iteration. The other connections are served in between.
void Server::run_iteration() {
  to_send_.empty() ? work_off_one() : send_to_one();
  if (to_send_.empty() && deferred_.empty()) idle_.stop();
}

void Server::send_to_one() {
  Connection* const connection = find(to_send_.front());
  to_send_.pop_front();
  if (connection != nullptr) connection->send_batched();
}

void Server::work_off_one() {
  if (deferred_.empty()) return;
  const std::uint64_t id = deferred_.front();
  deferred_.pop_front();
  Connection* const connection = find(id);
  if (connection == nullptr) return;
  connection->work_off();
  if (connection->closing()) close(id);
}

// Also closes connections that failed outside their own callbacks.
void Server::close_slow_clients() {
  const Duration now = loop::Loop::hrtime();
  std::vector<std::uint64_t> slow_clients;
  for (const auto& [id, connection] : connections_) {
    if (connection->closing() || connection->timed_out(now)) slow_clients.push_back(id);
  }
  for (const std::uint64_t id : slow_clients) {
    const Connection& connection = *connections_.at(id);
    if (!connection.closing()) {
      log_.warning("peer_timed_out", "closed a connection of uid {}: it did not {} in time",
                   connection.uid(),
                   connection.queued_bytes() > 0 ? "read its answers" : "complete the handshake");
      ++counters_.connections_cut_off;
    }
    close(id);
  }
  retire();
  if (connections_.empty()) sweep_->stop();
}

bool Server::drained() const {
  return std::all_of(connections_.begin(), connections_.end(),
                     [](const auto& item) { return item.second->queued_bytes() == 0; });
}

}  // namespace claimsd::server
