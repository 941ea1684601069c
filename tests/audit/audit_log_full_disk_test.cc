// A full disk: no event is acknowledged without a record, nothing breaks, and the log recovers when
// there is space again. Uses a mount namespace, so needs root.
#include <sched.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <map>

#include "daemon/audit/audit_log.h"
#include "tests/audit/audit_fixture.h"
#include "tests/support/skip.h"

using namespace claimsd;
using namespace claimsd::audit;
using namespace claimsd::audit::testing;

namespace {

// Result of the child process, which does not use Catch2's assertions.
enum Outcome : int { kFine = 0, kNoNamespace, kNotOpened, kNeverFull, kLost, kNotRecovered };

bool mount_small_disk(const std::string& at) {
  return unshare(CLONE_NEWNS) == 0 &&
         mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0 &&
         mount("tmpfs", at.c_str(), "tmpfs", 0, "size=3m") == 0;
}

void write_ballast(const std::string& path) {
  std::ofstream(path, std::ios::binary) << std::string(std::size_t{1} << 20, 'b');
}

class Answers {
 public:
  void take(std::vector<Completion>&& more) {
    const std::lock_guard lock(mutex_);
    for (const Completion& one : more) verdicts_[one.ticket] = one.verdict;
    changed_.notify_all();
  }
  claims::AuditDecision wait_for(claims::AuditTicket ticket) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return verdicts_.count(ticket) != 0; });
    return verdicts_[ticket];
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::map<claims::AuditTicket, claims::AuditDecision> verdicts_;
};

Outcome fill_and_make_room(const std::string& disk) {
  if (!mount_small_disk(disk)) return kNoNamespace;
  const std::string ballast = disk + "/ballast";
  const std::string directory = disk + "/log";
  std::filesystem::create_directory(directory);
  write_ballast(ballast);
  HandClock clock;
  CountingRandom random;
  NullLog quiet;
  Answers answers;
  AuditLog::Options options;
  options.store = {directory, "host.example", std::size_t{64} << 20, {}};
  auto log = AuditLog::start(options, clock, random, quiet,
                             {[&](auto&& more) { answers.take(std::move(more)); }, {}});
  if (!log) return kNotOpened;
  std::uint64_t recorded = 0;
  std::uint64_t denied = 0;
  claims::AuditTicket ticket = 0;
  const auto search = [&] {
    ++ticket;
    Record record = denial_of(std::to_string(ticket));
    record.route.assign(kMaxAuditRoute, 'r');
    const claims::AuditDecision verdict = (*log)->submit(std::move(record), ticket);
    const bool goes = verdict == claims::AuditDecision::kPending &&
                      answers.wait_for(ticket) == claims::AuditDecision::kProceed;
    if (verdict == claims::AuditDecision::kPending) (*log)->finished(1);
    ++(goes ? recorded : denied);
    return goes;
  };
  while (ticket < 20'000 && search()) continue;
  if (denied == 0) return kNeverFull;
  for (int i = 0; i < 10; ++i) search();  // still full, because the clock has not advanced
  if ((*log)->stats().state != State::kDiskFull) return kNeverFull;
  std::filesystem::remove(ballast);
  clock.advance(seconds(2));
  for (int tries = 0; tries < 5000 && !search(); ++tries) usleep(1000);
  const Stats stats = (*log)->stats();
  if (stats.state != State::kWritable || stats.counters.audit_unavailable != denied || !search())
    return kNotRecovered;
  (*log)->stop();
  const auto done = verify_audit({.directory = directory});
  if (!done || done->finding) return kLost;
  return done->events >= recorded + denied ? kFine : kLost;
}

}  // namespace

TEST_CASE(
    "on a full disk no event is answered without its record, and the log recovers when space is "
    "freed") {
  if (!claimsd::test::has_root()) return;
  const ScratchDirectory scratch;
  const pid_t child = fork();
  if (child == 0) {
    for (const int fatal : {SIGSEGV, SIGBUS, SIGABRT}) std::signal(fatal, SIG_DFL);
    _exit(fill_and_make_room(scratch.path()));
  }
  int status = 0;
  REQUIRE(waitpid(child, &status, 0) == child);
  REQUIRE(WIFEXITED(status));
  REQUIRE(WEXITSTATUS(status) != kNoNamespace);
  CHECK(WEXITSTATUS(status) == kFine);
}
