#include "daemon/upstream/fetcher.h"

#include <fmt/core.h>

#include <algorithm>

namespace claimsd::upstream {

Fetcher::Fetcher(loop::Loop& loop, Log& log, OnComplete completed, Reported reported)
    : loop_(loop), log_(log), completed_(std::move(completed)), reported_(std::move(reported)) {}

Result<std::unique_ptr<Fetcher>> Fetcher::create(loop::Loop& loop, std::vector<Target> targets,
                                                 Log& log, OnComplete completed,
                                                 Reported reported) {
  std::unique_ptr<Fetcher> self(new Fetcher(loop, log, std::move(completed), std::move(reported)));
  TRY(self->open(std::move(targets)));
  return self;
}

Status Fetcher::open(std::vector<Target> targets) {
  deadline_ = TRY(loop::TimerFd::create(loop_, [this] { sweep(); }));
  collect_ = TRY(loop::TimerFd::create(loop_, [this] {
    std::erase_if(retired_, [](const auto& old) { return old.use_count() == 1; });
  }));
  claims::UpstreamId upstreams = 0;
  for (Target& target : targets) {
    if (!target.settings.next_url || url_queues_.empty()) ++upstreams;
    UrlQueue& url_queue = *url_queues_.emplace_back(std::make_unique<UrlQueue>());
    url_queue.target = std::move(target);
    TRY(find_peer(url_queue));
    TRY(watch_files(url_queue, upstreams - 1));
    TRY(connect_anew(url_queue));
  }
  if (watches_.empty()) return {};
  next_look_ = TRY(loop::TimerFd::create(loop_, [this] { look(); }));
  next_look_->start(kBetweenLooks, kBetweenLooks);
  return {};
}

Status Fetcher::find_peer(UrlQueue& url_queue) {
  const Target& target = url_queue.target;
  if (target.socket.empty()) return {};
  auto peer = UnixPeer::create(target.socket, target.settings.socket_user);
  if (!peer)
    return failure(
        fmt::format("upstream.{}.socket_user: {}", target.settings.name, peer.error().message));
  url_queue.peer = std::move(*peer);
  return {};
}

// All URLs of one Auth API share its files.
Status Fetcher::watch_files(UrlQueue& url_queue, claims::UpstreamId upstream) {
  if (!has_credential_files(url_queue.target.settings)) return {};
  if (watches_.empty() || watches_.back().upstream != upstream) {
    auto files = TRY(CredentialWatch::create(url_queue.target.settings));
    watches_.push_back({upstream, std::move(files)});
    CredentialReport report = watches_.back().files->report();
    report.upstream = upstream;
    report.is_first = true;
    if (reported_) reported_(report);
  }
  url_queue.watch = watches_.back().files.get();
  return {};
}

// Running requests keep their connections.
Status Fetcher::connect_anew(UrlQueue& url_queue) {
  auto fresh = std::make_shared<Connections>();
  if (url_queue.watch != nullptr) fresh->credentials = url_queue.watch->current();
  fresh->multi = TRY(CurlMulti::create(
      loop_, url_queue.target.settings.connections, log_,
      [this](CURL* easy, CURLcode code, Duration age) { done(easy, code, age); },
      url_queue.peer ? &*url_queue.peer : nullptr));
  // Create one now, so that an option curl rejects is reported at start.
  auto transfer = TRY(Transfer::create(url_queue.target, fresh));
  url_queue.idle.clear();
  url_queue.idle.push_back(std::move(transfer));
  if (url_queue.connections) retired_.push_back(std::move(url_queue.connections));
  url_queue.connections = std::move(fresh);
  collect_->start(Duration(0));
  return {};
}

void Fetcher::renew(UrlQueue& url_queue) {
  if (url_queue.target.settings.keep_failed_connections) return;
  // Out of memory or descriptors: the next failure tries again.
  if (const Status made = connect_anew(url_queue); !made)
    log_.error("fetch_multi", "{}", made.error().message);
}

void Fetcher::drop_connections(std::size_t url_queue) {
  if (url_queue < url_queues_.size()) renew(*url_queues_[url_queue]);
}

void Fetcher::look() {
  for (const Watch& watch : watches_) {
    std::optional<CredentialReport> report = watch.files->look();
    if (!report) continue;
    report->upstream = watch.upstream;
    if (reported_) reported_(*report);
  }
  for (const auto& url_queue : url_queues_) {
    if (url_queue->watch == nullptr ||
        url_queue->connections->credentials == url_queue->watch->current())
      continue;
    // Out of memory or descriptors: the next look retries.
    if (const Status made = connect_anew(*url_queue); !made)
      log_.error("fetch_multi", "{}", made.error().message);
  }
}

Fetcher::~Fetcher() {
  for (const auto& url_queue : url_queues_) {
    for (const auto& running : url_queue->running)
      running->connections().multi->remove(running->easy());
  }
}

void Fetcher::start(const FetchRequest& flight, std::string_view token) {
  if (flight.url_queue >= url_queues_.size()) {
    return complete_failed(flight, proto::Reason::kInternal, "no such upstream");
  }
  UrlQueue& url_queue = *url_queues_[flight.url_queue];
  // An armed timer fires no later, and sweep() then finds the next deadline.
  if (!deadline_->active()) arm(url_queue.due(flight));
  if (url_queue.waiting.empty() && url_queue.has_room()) return launch(url_queue, flight, token);
  url_queue.waiting.push_back({flight, Secret(token)});
}

void Fetcher::fill(UrlQueue& url_queue) {
  while (!url_queue.waiting.empty() && url_queue.has_room()) {
    const WaitingFetch next = std::move(url_queue.waiting.front());
    url_queue.waiting.pop_front();
    if (url_queue.due(next.flight) <= loop::Loop::hrtime()) {
      complete_late(next.flight);
    } else {
      launch(url_queue, next.flight, next.token.view());
    }
  }
}

void Fetcher::launch(UrlQueue& url_queue, const FetchRequest& flight, std::string_view token) {
  if (url_queue.idle.empty()) {
    auto fresh = Transfer::create(url_queue.target, url_queue.connections);
    if (!fresh) return complete_failed(flight, proto::Reason::kInternal, fresh.error().message);
    url_queue.idle.push_back(std::move(*fresh));
  }
  std::unique_ptr<Transfer> transfer = std::move(url_queue.idle.back());
  url_queue.idle.pop_back();
  Transfer& running = *transfer;
  const bool begun = running.begin(flight, token);
  url_queue.running.push_back(std::move(transfer));
  if (begun && url_queue.connections->multi->add(running.easy())) return;

  const std::unique_ptr<Transfer> failed = take_running(url_queue, running);
  complete_failed(failed->flight(), proto::Reason::kInternal, "the request could not be built");
}

std::unique_ptr<Transfer> Fetcher::take_running(UrlQueue& url_queue, const Transfer& transfer) {
  const auto found = std::find_if(url_queue.running.begin(), url_queue.running.end(),
                                  [&](const auto& running) { return running.get() == &transfer; });
  std::unique_ptr<Transfer> taken = std::move(*found);
  *found = std::move(url_queue.running.back());
  url_queue.running.pop_back();
  return taken;
}

void Fetcher::done(CURL* easy, CURLcode code, Duration age) {
  Transfer& transfer = Transfer::of(easy);
  const claims::FlightId id = transfer.flight().id;
  UrlQueue& url_queue = *url_queues_[transfer.flight().url_queue];
  std::unique_ptr<Transfer> finished = take_running(url_queue, transfer);
  const Attempt attempt = finished->attempt(code);
  if (attempt.status != 0) finished->connections().proven = true;
  if (&finished->connections() != url_queue.connections.get()) collect_->start(Duration(0));
  if (recover(url_queue, *finished, attempt)) return;
  claims::FetchOutcome outcome = finished->end(code, age);
  if (&finished->connections() == url_queue.connections.get())
    url_queue.idle.push_back(std::move(finished));
  completed_(id, std::move(outcome));
  fill(url_queue);
}

// True if the request goes on over a new connection.
bool Fetcher::recover(UrlQueue& url_queue, const Transfer& transfer, const Attempt& attempt) {
  const Recovery recovery = recovery_of(attempt);
  if (recovery.drop && &transfer.connections() == url_queue.connections.get()) renew(url_queue);
  if (!recovery.repeat || url_queue.due(transfer.flight()) <= loop::Loop::hrtime()) return false;
  FetchRequest again = transfer.flight();
  again.connect = claims::Connect::kFresh;
  ++again.attempt;
  launch(url_queue, again, transfer.token());
  return true;
}

void Fetcher::sweep() {
  const Duration now = loop::Loop::hrtime();
  for (const auto& url_queue : url_queues_) sweep(*url_queue, now);
  Duration next = Duration::max();
  for (const auto& url_queue : url_queues_) {
    for (const auto& running : url_queue->running)
      next = std::min(next, url_queue->due(running->flight()));
    // All flights have the same timeout, so the front of the queue expires first.
    if (!url_queue->waiting.empty())
      next = std::min(next, url_queue->due(url_queue->waiting.front().flight));
  }
  if (next != Duration::max()) arm(next);
}

Transfer* Fetcher::find_late(const UrlQueue& url_queue, Duration now) {
  const auto found =
      std::find_if(url_queue.running.begin(), url_queue.running.end(),
                   [&](const auto& running) { return url_queue.due(running->flight()) <= now; });
  return found == url_queue.running.end() ? nullptr : found->get();
}

// Searches again after each one: ending a transfer lets another begin, and curl may then complete
// others, whose Transfer may already run for another flight.
void Fetcher::sweep(UrlQueue& url_queue, Duration now) {
  while (Transfer* const transfer = find_late(url_queue, now)) {
    transfer->connections().multi->remove(transfer->easy());
    done(transfer->easy(), CURLE_OPERATION_TIMEDOUT, {});
  }
  fill(url_queue);  // completes flights that waited too long
  while (!url_queue.waiting.empty() && url_queue.due(url_queue.waiting.front().flight) <= now) {
    const FetchRequest flight = url_queue.waiting.front().flight;
    url_queue.waiting.pop_front();
    complete_late(flight);
  }
}

void Fetcher::arm(Duration due) {
  deadline_->start(std::max(Duration::zero(), due - loop::Loop::hrtime()));
}

// The deadline passed before a connection was free.
void Fetcher::complete_late(const FetchRequest& flight) {
  complete_failed(flight, proto::Reason::kUpstreamTimeout,
                  "all connections were in use until the timeout");
}

void Fetcher::complete_failed(const FetchRequest& flight, proto::Reason reason,
                              std::string detail) {
  claims::FetchOutcome outcome;
  outcome.failure = reason;
  outcome.detail = std::move(detail);
  outcome.took = loop::Loop::hrtime() - flight.started;
  completed_(flight.id, std::move(outcome));
}

}  // namespace claimsd::upstream
