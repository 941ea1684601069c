#include "daemon/store/revocation_writer.h"

#include <pthread.h>

#include <system_error>
#include <utility>

#include "daemon/loop/signals_blocked.h"

namespace claimsd::store {

RevocationWriter::RevocationWriter(std::unique_ptr<RevocationFile> file, loop::Loop& loop,
                                   const Clock& clock, Log& log, Options options)
    : file_(std::move(file)),
      clock_(clock),
      log_(log),
      options_(std::move(options)),
      patience_(loop, [this] { report_overdue(); }) {}

Result<std::unique_ptr<RevocationWriter>> RevocationWriter::create(
    std::unique_ptr<RevocationFile> file, loop::Loop& loop, const Clock& clock, Log& log,
    Options options) {
  std::unique_ptr<RevocationWriter> self(
      new RevocationWriter(std::move(file), loop, clock, log, std::move(options)));
  claims::RevocationChange due = self->file_->take_due();
  TRY(self->start(loop));
  if (!due.empty()) self->write(std::move(due), {});
  return self;
}

Status RevocationWriter::start(loop::Loop& loop) {
  results_ = TRY(loop::MessageQueue<Attempt>::create(
      loop, [this](Attempt&& attempt) { this->written(attempt); }));
  const loop::SignalsBlocked blocked;
  try {
    thread_ = std::thread([this] { run(); });
  } catch (const std::system_error& error) {
    return failure(fmt::format(
        "cannot start the thread that writes revocations: {}; raise TasksMax", error.what()));
  }
  return {};
}

RevocationWriter::~RevocationWriter() {
  if (!thread_.joinable()) return;
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
  }
  work_.notify_one();
  thread_.join();
}

void RevocationWriter::write(claims::RevocationChange change, Done done) {
  orders_.emplace(++last_order_, Order{clock_.now().boot, std::move(done)});
  if (!patience_.active()) patience_.start(options_.patience);
  {
    const std::lock_guard lock(mutex_);
    change_.append(std::move(change));
    ordered_ = last_order_;
  }
  work_.notify_one();
}

RevocationBacklog RevocationWriter::backlog() const {
  if (orders_.empty()) return {};
  return {orders_.size(), clock_.now().boot - orders_.begin()->second.since, error_};
}

void RevocationWriter::run() {
  pthread_setname_np(pthread_self(), "claimsd-revoke");
  claims::RevocationChange change;  // not on disk yet
  std::uint64_t last = 0;
  std::uint64_t durable = 0;
  std::unique_lock lock(mutex_);
  for (;;) {
    const auto has_work = [&] { return stop_ || ordered_ > last; };
    if (durable == last) {
      work_.wait(lock, has_work);
    } else {
      work_.wait_for(lock, options_.retry, has_work);
    }
    change.append(std::exchange(change_, {}));
    last = ordered_;
    const bool stop = stop_;
    lock.unlock();
    if (last > durable && try_to_write(change, last)) {
      durable = last;
      change = {};
    }
    lock.lock();
    if (!stop) continue;
    if (durable < last)
      log_.error("revocations_lost", "the daemon stops before its revocations are on disk");
    return;
  }
}

bool RevocationWriter::try_to_write(const claims::RevocationChange& change, std::uint64_t last) {
  if (change.empty()) {
    results_->push({last, {}, file_->head()});
    return true;
  }
  const Status written = file_->write(change);
  if (!written) {
    log_.error("revocation_not_durable", "{}: claimsd tries again until it succeeds",
               written.error().message);
    results_->push({last, written.error().message, {}});
    return false;
  }
  if (const Status copied = file_->save_copy(); !copied)
    log_.warning("revocation_copy_failed", "{}", copied.error().message);
  results_->push({last, {}, file_->head()});
  return true;
}

void RevocationWriter::written(const Attempt& attempt) {
  const bool durable = attempt.error.empty();
  error_ = attempt.error;
  if (durable && options_.on_head) options_.on_head(attempt.head);
  std::vector<Done> answered;
  for (auto at = orders_.begin(); at != orders_.end() && at->first <= attempt.last;) {
    if (at->second.done) answered.push_back(std::exchange(at->second.done, nullptr));
    at = durable ? orders_.erase(at) : std::next(at);
  }
  for (const Done& done : answered) done(durable);
}

// The disk is slow: its answer may take minutes.
void RevocationWriter::report_overdue() {
  const BootTime now = clock_.now().boot;
  std::vector<Done> answered;
  std::optional<BootTime> next;
  for (auto& [number, order] : orders_) {
    if (!order.done) continue;
    if (order.since + options_.patience <= now) {
      answered.push_back(std::exchange(order.done, nullptr));
    } else if (!next) {
      next = order.since + options_.patience;
    }
  }
  if (next) patience_.start(*next - now);
  for (const Done& done : answered) done(false);
}

}  // namespace claimsd::store
