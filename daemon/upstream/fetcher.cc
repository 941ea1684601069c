#include "daemon/upstream/fetcher.h"

#include <fmt/core.h>

#include <algorithm>

namespace claimsd::daemon {

Fetcher::Fetcher(Loop& loop, Log& log, Landed landed, Reported reported)
    : loop_(loop), log_(log), landed_(std::move(landed)), reported_(std::move(reported)) {}

Result<std::unique_ptr<Fetcher>> Fetcher::create(Loop& loop, std::vector<Target> targets, Log& log,
                                                 Landed landed, Reported reported) {
  std::unique_ptr<Fetcher> self(new Fetcher(loop, log, std::move(landed), std::move(reported)));
  TRY(self->open(std::move(targets)));
  return self;
}

Status Fetcher::open(std::vector<Target> targets) {
  deadline_ = TRY(KernelTimer::create(loop_, [this] { sweep(); }));
  UpstreamId upstreams = 0;
  for (Target& target : targets) {
    if (!target.settings.next_url || lanes_.empty()) ++upstreams;
    Lane& lane = *lanes_.emplace_back(std::make_unique<Lane>());
    lane.target = std::move(target);
    TRY(watch_files(lane, upstreams - 1));
    TRY(connect_anew(lane));
  }
  if (watches_.empty()) return {};
  next_look_ = TRY(KernelTimer::create(loop_, [this] { look(); }));
  next_look_->start(kBetweenLooks, kBetweenLooks);
  return {};
}

// All URLs of one Auth API share its files.
Status Fetcher::watch_files(Lane& lane, UpstreamId upstream) {
  if (lane.target.clear || !has_credential_files(lane.target.settings)) return {};
  if (watches_.empty() || watches_.back().upstream != upstream) {
    auto files = TRY(CredentialWatch::create(lane.target.settings));
    watches_.push_back({upstream, std::move(files)});
    CredentialReport report = watches_.back().files->report();
    report.upstream = upstream;
    report.is_first = true;
    if (reported_) reported_(report);
  }
  lane.watch = watches_.back().files.get();
  return {};
}

// Running requests keep their connections.
Status Fetcher::connect_anew(Lane& lane) {
  auto fresh = std::make_shared<Connections>();
  if (lane.watch != nullptr) fresh->credentials = lane.watch->current();
  fresh->multi = TRY(CurlMulti::create(loop_, lane.target.settings.connections, log_,
                                       [this](CURL* easy, CURLcode code) { done(easy, code); }));
  // Create one now, so that an option curl rejects is reported at start.
  auto transfer = TRY(Transfer::create(lane.target, fresh));
  lane.idle.clear();
  lane.idle.push_back(std::move(transfer));
  if (lane.connections) retired_.push_back(std::move(lane.connections));
  lane.connections = std::move(fresh);
  return {};
}

void Fetcher::look() {
  std::erase_if(retired_, [](const auto& old) { return old.use_count() == 1; });
  for (const Watch& watch : watches_) {
    std::optional<CredentialReport> report = watch.files->look();
    if (!report) continue;
    report->upstream = watch.upstream;
    if (reported_) reported_(*report);
  }
  for (const auto& lane : lanes_) {
    if (lane->watch == nullptr || lane->connections->credentials == lane->watch->current())
      continue;
    // Out of memory or descriptors: the next look retries.
    if (const Status made = connect_anew(*lane); !made)
      log_.error("fetch_multi", "{}", made.error().message);
  }
}

Fetcher::~Fetcher() {
  for (const auto& lane : lanes_) {
    for (const auto& running : lane->running) running->connections().multi->remove(running->easy());
  }
}

void Fetcher::start(const FetchOrder& flight, std::string_view token) {
  if (flight.lane >= lanes_.size()) {
    return land_failed(flight, proto::Reason::kInternal, "no such upstream");
  }
  Lane& lane = *lanes_[flight.lane];
  // An armed timer fires no later, and sweep() then finds the next deadline.
  if (!deadline_->active()) arm(lane.due(flight));
  if (lane.waiting.empty() && lane.has_room()) return launch(lane, flight, token);
  lane.waiting.push_back({flight, Secret(token)});
}

void Fetcher::fill(Lane& lane) {
  while (!lane.waiting.empty() && lane.has_room()) {
    const WaitingFetch next = std::move(lane.waiting.front());
    lane.waiting.pop_front();
    if (lane.due(next.flight) <= Loop::hrtime()) {
      land_late(next.flight);
    } else {
      launch(lane, next.flight, next.token.view());
    }
  }
}

void Fetcher::launch(Lane& lane, const FetchOrder& flight, std::string_view token) {
  if (lane.idle.empty()) {
    auto fresh = Transfer::create(lane.target, lane.connections);
    if (!fresh) return land_failed(flight, proto::Reason::kInternal, fresh.error().message);
    lane.idle.push_back(std::move(*fresh));
  }
  std::unique_ptr<Transfer> transfer = std::move(lane.idle.back());
  lane.idle.pop_back();
  Transfer& running = *transfer;
  const bool begun = running.begin(flight, token);
  lane.running.push_back(std::move(transfer));
  if (begun && lane.connections->multi->add(running.easy())) return;

  const std::unique_ptr<Transfer> failed = take_running(lane, running);
  land_failed(failed->flight(), proto::Reason::kInternal, "the request could not be built");
}

std::unique_ptr<Transfer> Fetcher::take_running(Lane& lane, const Transfer& transfer) {
  const auto found = std::find_if(lane.running.begin(), lane.running.end(),
                                  [&](const auto& running) { return running.get() == &transfer; });
  std::unique_ptr<Transfer> taken = std::move(*found);
  *found = std::move(lane.running.back());
  lane.running.pop_back();
  return taken;
}

void Fetcher::done(CURL* easy, CURLcode code) {
  Transfer& transfer = Transfer::of(easy);
  const FlightId id = transfer.flight().id;
  Lane& lane = *lanes_[transfer.flight().lane];
  std::unique_ptr<Transfer> finished = take_running(lane, transfer);
  FetchOutcome outcome = finished->end(code);
  if (&finished->connections() == lane.connections.get()) lane.idle.push_back(std::move(finished));
  landed_(id, std::move(outcome));
  fill(lane);
}

void Fetcher::sweep() {
  const Duration now = Loop::hrtime();
  for (const auto& lane : lanes_) sweep(*lane, now);
  Duration next = Duration::max();
  for (const auto& lane : lanes_) {
    for (const auto& running : lane->running) next = std::min(next, lane->due(running->flight()));
    // All flights have the same timeout, so the front of the queue expires first.
    if (!lane->waiting.empty()) next = std::min(next, lane->due(lane->waiting.front().flight));
  }
  if (next != Duration::max()) arm(next);
}

Transfer* Fetcher::find_late(const Lane& lane, Duration now) {
  const auto found =
      std::find_if(lane.running.begin(), lane.running.end(),
                   [&](const auto& running) { return lane.due(running->flight()) <= now; });
  return found == lane.running.end() ? nullptr : found->get();
}

// Searches again after each one: ending a transfer lets another begin, and curl may then complete
// others, whose Transfer may already run for another flight.
void Fetcher::sweep(Lane& lane, Duration now) {
  while (Transfer* const transfer = find_late(lane, now)) {
    transfer->connections().multi->remove(transfer->easy());
    done(transfer->easy(), CURLE_OPERATION_TIMEDOUT);
  }
  fill(lane);  // completes flights that waited too long
  while (!lane.waiting.empty() && lane.due(lane.waiting.front().flight) <= now) {
    const FetchOrder flight = lane.waiting.front().flight;
    lane.waiting.pop_front();
    land_late(flight);
  }
}

void Fetcher::arm(Duration due) {
  deadline_->start(std::max(Duration::zero(), due - Loop::hrtime()));
}

// The deadline passed before a connection was free.
void Fetcher::land_late(const FetchOrder& flight) {
  land_failed(flight, proto::Reason::kUpstreamTimeout,
              "all connections were in use until the timeout");
}

void Fetcher::land_failed(const FetchOrder& flight, proto::Reason reason, std::string detail) {
  FetchOutcome outcome;
  outcome.failure = reason;
  outcome.detail = std::move(detail);
  outcome.took = Loop::hrtime() - flight.started;
  landed_(flight.id, std::move(outcome));
}

}  // namespace claimsd::daemon
