#include "daemon/store/revocation_writer.h"

#include <pthread.h>

#include <system_error>

#include "daemon/loop/signals_blocked.h"

namespace claimsd::store {

RevocationWriter::RevocationWriter(std::unique_ptr<RevocationFile> file, Log& log)
    : file_(std::move(file)), log_(log) {}

Result<std::unique_ptr<RevocationWriter>> RevocationWriter::create(
    std::unique_ptr<RevocationFile> file, loop::Loop& loop, Log& log) {
  std::unique_ptr<RevocationWriter> self(new RevocationWriter(std::move(file), log));
  TRY(self->start(loop));
  return self;
}

Status RevocationWriter::start(loop::Loop& loop) {
  results_ = TRY(loop::MessageQueue<Written>::create(
      loop, [this](Written&& result) { this->written(result); }));
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

void RevocationWriter::keep(std::vector<claims::Rule> rules, Done done) {
  waiting_.emplace(++last_order_, std::move(done));
  {
    const std::lock_guard lock(mutex_);
    rules_.insert(rules_.end(), rules.begin(), rules.end());
    ordered_ = last_order_;
  }
  work_.notify_one();
}

void RevocationWriter::drop(std::vector<claims::RuleName> names) {
  {
    const std::lock_guard lock(mutex_);
    // Rules are dropped first, then kept, so a rule that was set again meanwhile survives.
    gone_.insert(gone_.end(), names.begin(), names.end());
  }
  work_.notify_one();
}

void RevocationWriter::run() {
  pthread_setname_np(pthread_self(), "claimsd-revoke");
  std::uint64_t done = 0;
  std::unique_lock lock(mutex_);
  for (;;) {
    work_.wait(lock, [&] { return stop_ || ordered_ > done || !gone_.empty(); });
    const std::vector<claims::Rule> rules = std::exchange(rules_, {});
    const std::vector<claims::RuleName> gone = std::exchange(gone_, {});
    const std::uint64_t last = ordered_;
    const bool stop = stop_;
    lock.unlock();
    if (const Status dropped = file_->drop(gone); !dropped) {
      // These rules have expired: leaving them on disk rejects no token.
      log_.warning("revocations_not_dropped", "{}", dropped.error().message);
    }
    const Status kept = file_->keep(rules);
    if (!kept) log_.error("revocation_not_durable", "{}", kept.error().message);
    if (last > done) results_->push({last, kept.has_value()});
    done = last;
    lock.lock();
    if (stop && ordered_ == done) return;
  }
}

void RevocationWriter::written(const Written& written) {
  while (!waiting_.empty() && waiting_.begin()->first <= written.last) {
    const Done done = std::move(waiting_.begin()->second);
    waiting_.erase(waiting_.begin());
    done(written.durable);
  }
}

}  // namespace claimsd::store
