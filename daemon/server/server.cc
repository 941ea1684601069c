#include "daemon/server/server.h"

#include <algorithm>
#include <cstring>
#include <vector>

#include "daemon/server/connection.h"

namespace claimsd::daemon {
namespace {

constexpr Duration kSweepInterval = milliseconds(500);
constexpr Duration kPauseOfFloods = milliseconds(1);

}  // namespace

Server::Server(Loop& loop, ServerSettings settings, Log& log)
    : loop_(loop),
      settings_(std::move(settings)),
      log_(log),
      admission_(settings_.admission),
      next_turns_(loop, [this] { take_turn(); }) {}

Result<std::unique_ptr<Server>> Server::create(Loop& loop, ServerSettings settings, Log& log) {
  std::unique_ptr<Server> server(new Server(loop, std::move(settings), log));
  server->sweep_ =
      TRY(KernelTimer::create(loop, [self = server.get()] { self->cut_off_laggards(); }));
  server->pause_ = TRY(KernelTimer::create(loop, [self = server.get()] { self->end_pauses(); }));
  return server;
}

Server::~Server() = default;

void Server::connect(SessionContext context) {
  context_ = std::make_unique<SessionContext>(std::move(context));
}

Status Server::open(const ListenOptions& options) {
  listener_ =
      std::make_unique<StreamListener>(TRY(StreamListener::listen(loop_, options, handlers())));
  return {};
}

Status Server::open(Fd inherited) {
  listener_ = std::make_unique<StreamListener>(
      TRY(StreamListener::adopt(loop_, std::move(inherited), handlers())));
  return {};
}

StreamListener::Handlers Server::handlers() {
  return {
      .on_connection = [this](Fd fd) { accept(std::move(fd)); },
      .on_trouble =
          [this](int error) {
            log_.error(
                "accept_failed",
                "cannot accept a connection: {}: raise LimitNOFILE or lower daemon.max_connections",
                std::strerror(error));
          }};
}

void Server::reconfigure(ServerSettings settings) {
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
  Result<PeerCredentials> peer = peer_credentials(fd.get());
  if (!peer) {
    log_.warning("peer_unknown", "rejected a connection: {}", peer.error().message);
    return;
  }
  if (settings_.names_commands) peer->command = command_of(peer->pid);
  const std::uint64_t id = next_connection_++;
  auto connection = std::make_unique<Connection>(*this, id);
  const std::optional<proto::FailureCode> refused = admission_.enter(peer->uid, peer->gid);
  PeerRow* const row = refused ? nullptr : &peers_.enter(peer->uid);
  if (const Status adopted = connection->adopt(std::move(fd), *peer, row); !adopted) {
    if (!refused) leave(peer->uid);
    log_.error("accept_failed", "{}", adopted.error().message);
    return;
  }
  if (refused) {
    log_.warning("peer_refused", "rejected a connection of uid {}, gid {}: {}", peer->uid,
                 peer->gid, proto::sentence_of(*refused));
    return turn_away(*connection, *refused);
  }
  ++counters_.connections_accepted;
  if (!connection->start_reading()) return leave(peer->uid);
  connections_.emplace(id, std::move(connection));
  if (!sweep_->active()) sweep_->start(kSweepInterval, kSweepInterval);
}

void Server::turn_away(Connection& connection, proto::FailureCode why) {
  ++counters_.connections_refused;
  if (on_refused_) on_refused_(connection.uid(), why);
  connection.session().refuse(why);
}

void Server::leave(std::uint32_t uid) {
  admission_.leave(uid);
  peers_.leave(uid);
}

// A failing connection is only marked here: its session may be further up the call stack.
void Server::answer(const Waiter& waiter, const Answer& answer) {
  Connection* const to = find(waiter.connection);
  if (to == nullptr) return;
  to->session().answer(waiter.request, answer);
  // A valid answer is sent at once: waiting an iteration could overtake a revocation.
  if (gathers_ && answer.reason == proto::Reason::kOk && to->is_busy()) to->send_kept();
}

void Server::receipt(const Waiter& waiter, proto::Reason reason) {
  if (Connection* const to = find(waiter.connection)) to->session().receipt(waiter.request, reason);
}

Server::Connection* Server::find(std::uint64_t id) const {
  const auto found = connections_.find(id);
  return found == connections_.end() ? nullptr : found->second.get();
}

void Server::end_gathering(bool last) {
  gathers_ = false;
  std::erase_if(kept_back_, [this](std::uint64_t id) {
    Connection* const connection = find(id);
    if (connection != nullptr && connection->is_busy()) return false;
    if (connection != nullptr) connection->send_kept();
    return true;
  });
  if (!last || kept_back_.empty()) return;
  to_send_.insert(to_send_.end(), kept_back_.begin(), kept_back_.end());
  kept_back_.clear();
  next_turns_.start();
}

const PeerCredentials* Server::peer(std::uint64_t connection) const {
  const Connection* const found = find(connection);
  return found == nullptr ? nullptr : &found->peer();
}

void Server::close(std::uint64_t id) {
  const auto found = connections_.find(id);
  if (found == connections_.end()) return;
  // Remove it from the table first, so that nothing below can find it again.
  const std::unique_ptr<Connection> connection = std::move(found->second);
  connections_.erase(found);
  if (connection->session().open_questions() > 0) context_->service.disconnected(id);
  if (connection->admitted()) leave(connection->uid());
}

void Server::put_off(std::uint64_t id, bool pauses) {
  if (!pauses) {
    put_off_.push_back(id);
    return next_turns_.start();
  }
  pausing_.push_back(id);
  if (!pause_->active()) pause_->start(kPauseOfFloods);
}

void Server::end_pauses() {
  peers_.forget_refused();
  for (const std::uint64_t id : std::exchange(pausing_, {})) put_off_.push_back(id);
  if (!put_off_.empty()) next_turns_.start();
}

// One piece of work per loop iteration. The other connections are served in between.
void Server::take_turn() {
  to_send_.empty() ? work_off_one() : send_to_one();
  if (to_send_.empty() && put_off_.empty()) next_turns_.stop();
}

void Server::send_to_one() {
  Connection* const connection = find(to_send_.front());
  to_send_.pop_front();
  if (connection != nullptr) connection->send_kept();
}

void Server::work_off_one() {
  if (put_off_.empty()) return;
  const std::uint64_t id = put_off_.front();
  put_off_.pop_front();
  Connection* const connection = find(id);
  if (connection == nullptr) return;
  connection->work_off();
  if (connection->doomed()) close(id);
}

// Also closes connections that failed outside their own callbacks.
void Server::cut_off_laggards() {
  const Duration now = Loop::hrtime();
  std::vector<std::uint64_t> laggards;
  for (const auto& [id, connection] : connections_) {
    if (connection->doomed() || connection->lags(now)) laggards.push_back(id);
  }
  for (const std::uint64_t id : laggards) {
    const Connection& connection = *connections_.at(id);
    if (!connection.doomed()) {
      log_.warning("peer_lags", "closed a connection of uid {}: it did not {} in time",
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

}  // namespace claimsd::daemon
