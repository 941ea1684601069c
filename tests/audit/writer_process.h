// writer_process.h: runs audit_writer and reads its acknowledgments.
#pragma once

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <string>
#include <vector>

#include "daemon/audit/intake.h"
#include "tests/audit/audit_fixture.h"

namespace claimsd::audit::testing {

struct WriterRun {
  std::vector<claims::AuditTicket> acknowledged;
  bool crashed = false;
  int exit_status = -1;
};

struct WriterWords {
  std::string directory;
  std::uint64_t events = 100;
  std::size_t segment_bytes = 256U << 10U;
  bool one_by_one = false;
  std::vector<std::string> environment;  // NAME=VALUE; the preloaded library with WATCHED_...
  std::size_t kill_after = SIZE_MAX;     // kill after this many acknowledgments
};

inline WriterRun run_writer(const WriterWords& words) {
  int ends[2];
  REQUIRE(pipe2(ends, O_CLOEXEC) == 0);
  std::vector<std::string> texts{CLAIMSD_AUDIT_WRITER, words.directory,
                                 std::to_string(words.events), std::to_string(words.segment_bytes)};
  if (words.one_by_one) texts.emplace_back("one");
  std::vector<char*> arguments;
  for (std::string& text : texts) arguments.push_back(text.data());
  arguments.push_back(nullptr);
  std::vector<std::string> settings = words.environment;
  if (!settings.empty()) settings.push_back(std::string("LD_PRELOAD=") + CLAIMSD_WATCHED_DISK);
  if (const char* const options = getenv("ASAN_OPTIONS"); options != nullptr)
    settings.push_back(std::string("ASAN_OPTIONS=") + options);
  std::vector<char*> environment;
  for (std::string& setting : settings) environment.push_back(setting.data());
  environment.push_back(nullptr);
  const pid_t pid = fork();
  REQUIRE(pid >= 0);
  if (pid == 0) {
    dup2(ends[1], STDOUT_FILENO);
    execve(CLAIMSD_AUDIT_WRITER, arguments.data(), environment.data());
    _exit(127);
  }
  close(ends[1]);
  WriterRun run;
  claims::AuditTicket ticket = 0;
  // Data written to the pipe before the kill was acknowledged, so read to the end.
  while (read(ends[0], &ticket, sizeof ticket) == sizeof ticket) {
    run.acknowledged.push_back(ticket);
    if (run.acknowledged.size() == words.kill_after) kill(pid, SIGKILL);
  }
  close(ends[0]);
  int status = 0;
  waitpid(pid, &status, 0);
  run.crashed = WIFSIGNALED(status) && WTERMSIG(status) != SIGKILL;
  run.exit_status = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  return run;
}

// Counts acknowledged tickets missing from the log: even ones by user, odd ones by their sum.
inline std::size_t missing_from(const std::string& directory,
                                const std::vector<claims::AuditTicket>& acknowledged,
                                std::uint64_t floods_before = 0) {
  std::uint64_t floods = 0;
  std::vector<claims::AuditTicket> found;
  for (const SegmentFile& file : segment_files(directory)) {
    const auto view = SegmentView::open(file.path);
    if (!view) continue;
    view->each(1, [&](const StoredRow& row) {
      const auto record = decode_audit_record(row.record);
      if (!record || record->event != Event::kDenied) return true;
      if (record->user.empty()) {
        floods += record->count;
      } else {
        found.push_back(std::stoull(record->user));
      }
      return true;
    });
  }
  std::sort(found.begin(), found.end());
  std::size_t missing = 0;
  std::uint64_t flood_answers = 0;
  for (const claims::AuditTicket ticket : acknowledged) {
    if (ticket % 2 == 1) {
      ++flood_answers;
    } else if (!std::binary_search(found.begin(), found.end(), ticket)) {
      ++missing;
    }
  }
  if (floods < floods_before + flood_answers) missing += floods_before + flood_answers - floods;
  return missing;
}

}  // namespace claimsd::audit::testing
