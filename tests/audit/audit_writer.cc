// audit_writer DIRECTORY EVENTS SEGMENT_BYTES [one]: a process that writes to an audit log, run by
// tests that kill it or make its disk fail.
//
// Each ticket completed with kProceed is written to standard output at once, as 8 bytes. Even tickets
// belong to distinct users, numbered like the ticket; odd ones form a flood that is folded. With
// `one` each event waits for the previous one, and a denied event is retried for a while, so that
// the sequence of system calls is always the same. Exit status: 0 done, 2 usage, 3 the log could
// not be opened.
#include <unistd.h>

#include <condition_variable>
#include <cstdlib>
#include <map>
#include <mutex>

#include "daemon/audit/audit_log.h"

using namespace claimsd;
using namespace claimsd::audit;

namespace {

class Waiting {
 public:
  void completed(std::vector<Completion>&& all) {
    const std::lock_guard lock(mutex_);
    for (const Completion& one : all) {
      verdicts_[one.ticket] = one.verdict;
      if (one.verdict == claims::AuditDecision::kProceed) acknowledge(one.ticket);
    }
    changed_.notify_all();
  }
  claims::AuditDecision wait_for(claims::AuditTicket ticket) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return verdicts_.count(ticket) != 0; });
    return verdicts_[ticket];
  }
  std::size_t count() {
    const std::lock_guard lock(mutex_);
    return verdicts_.size();
  }

 private:
  static void acknowledge(claims::AuditTicket ticket) {
    if (write(STDOUT_FILENO, &ticket, sizeof ticket) != sizeof ticket) _exit(4);
  }
  std::mutex mutex_;
  std::condition_variable changed_;
  std::map<claims::AuditTicket, claims::AuditDecision> verdicts_;
};

Record event_of(claims::AuditTicket ticket, const Now& now) {
  Record record;
  record.event = Event::kDenied;
  record.at = now;
  record.last = now.wall;
  record.peer = {ticket % 2 == 0 ? 1000U : 66U, 1000, 4711, "worker"};
  if (ticket % 2 == 0) record.user = std::to_string(ticket);
  return record;
}

bool recorded(AuditLog& log, Waiting& waiting, claims::AuditTicket ticket) {
  const SystemClock clock;
  const claims::AuditDecision verdict = log.submit(event_of(ticket, clock.now()), ticket);
  if (verdict == claims::AuditDecision::kUnavailable) return false;
  const bool done = waiting.wait_for(ticket) == claims::AuditDecision::kProceed;
  log.finished(1);
  return done;
}

void one_after_the_other(AuditLog& log, Waiting& waiting, claims::AuditTicket events) {
  claims::AuditTicket ticket = 0;
  for (claims::AuditTicket done = 0, tries = 0; done < events && tries < 2000; ++tries) {
    ticket += 2;  // the number of a denied event is not reused
    if (recorded(log, waiting, ticket)) {
      ++done;
    } else {
      usleep(1000);
    }
  }
}

void all_at_once(AuditLog& log, Waiting& waiting, claims::AuditTicket first,
                 claims::AuditTicket events) {
  const SystemClock clock;
  std::size_t finished = 0;
  for (claims::AuditTicket ticket = first; ticket < first + events; ++ticket) {
    while (log.submit(event_of(ticket, clock.now()), ticket) == claims::AuditDecision::kUnavailable)
      usleep(100);
    const std::size_t done = waiting.count();
    log.finished(done - finished);
    finished = done;
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 4) return 2;
  AuditLog::Options options;
  options.store.directory = argv[1];
  options.store.origin = "host.example";
  options.store.segment_bytes = std::strtoull(argv[3], nullptr, 10);
  options.policy.max_records = 256;
  options.anchor_records = 16;
  options.retry = milliseconds(5);
  const bool one = argc > 4;
  const SystemClock clock;
  SystemRandom random;
  NullLog quiet;
  Waiting waiting;
  const Hooks hooks{[&](auto&& all) { waiting.completed(std::move(all)); }, {}};
  auto log = AuditLog::start(options, clock, random, quiet, hooks);
  if (!log) return 3;
  const claims::AuditTicket events = std::strtoull(argv[2], nullptr, 10);
  if (one) {
    one_after_the_other(**log, waiting, events);
  } else {
    const auto start =
        static_cast<claims::AuditTicket>(clock.now().wall.time_since_epoch().count());
    all_at_once(**log, waiting, start, events);
  }
  (*log)->stop();
  return 0;
}
