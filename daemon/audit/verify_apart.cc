// Verification in a child process, because damaged files may crash LMDB.
#include <errno.h>
#include <fcntl.h>
#include <fmt/core.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <cstring>
#include <new>
#include <system_error>

#include "daemon/audit/bytes.h"
#include "daemon/audit/verify.h"
#include "daemon/base/fd.h"

namespace claimsd::daemon {
namespace {

// Progress of the child in shared memory, readable even after it crashed.
struct Shared {
  std::atomic<AuditSequence> done{0};
};

void put_string(AuditPut& put, std::string& out, const std::string& text) {
  put.integer(static_cast<std::uint32_t>(text.size()));
  out += text;
}

std::string take_string(AuditTake& take) {
  return std::string(take.raw(take.integer<std::uint32_t>()));
}

void put_list(AuditPut& put, std::string& out, const std::vector<std::string>& list) {
  put.integer(static_cast<std::uint32_t>(list.size()));
  for (const std::string& text : list) put_string(put, out, text);
}

std::vector<std::string> take_list(AuditTake& take) {
  std::vector<std::string> list;
  for (auto left = take.integer<std::uint32_t>(); left > 0 && take.ok(); --left) {
    list.push_back(take_string(take));
  }
  return list;
}

// 'P' progress, 'V' verification, 'E' error.
std::string encode(const Result<AuditVerification>& result) {
  std::string out(1, result ? 'V' : 'E');
  AuditPut put(out);
  if (!result) {
    put_string(put, out, result.error().message);
    return out;
  }
  put.integer(static_cast<std::uint8_t>(result->finding ? 1 : 0));
  const AuditFinding finding = result->finding.value_or(AuditFinding{});
  put.integer(static_cast<std::uint8_t>(finding.kind));
  put.integer(finding.at);
  put_string(put, out, finding.sentence);
  for (const std::uint64_t number : {result->first, result->last, result->records, result->events,
                                     result->bytes, result->anchors, result->anchored}) {
    put.integer(number);
  }
  for (const std::uint8_t byte : result->link) put.integer(byte);
  put_list(put, out, result->notes);
  put_list(put, out, result->cannot_tell);
  return out;
}

AuditVerification decode(AuditTake& take) {
  AuditVerification done;
  const bool has_finding = take.integer<std::uint8_t>() == 1;
  AuditFinding finding;
  finding.kind = static_cast<AuditTamper>(take.integer<std::uint8_t>());
  finding.at = take.integer<AuditSequence>();
  finding.sentence = take_string(take);
  if (has_finding) done.finding = finding;
  for (std::uint64_t* const number : {&done.first, &done.last, &done.records, &done.events,
                                      &done.bytes, &done.anchors, &done.anchored}) {
    *number = take.integer<std::uint64_t>();
  }
  for (std::uint8_t& byte : done.link) byte = take.integer<std::uint8_t>();
  done.notes = take_list(take);
  done.cannot_tell = take_list(take);
  return done;
}

void write_all(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t wrote = write(fd, bytes.data(), bytes.size());
    if (wrote <= 0) _exit(1);
    bytes.remove_prefix(static_cast<std::size_t>(wrote));
  }
}

[[noreturn]] void child(const AuditVerifyOptions& options, Shared& shared, int out) {
  for (const int fatal : {SIGSEGV, SIGBUS, SIGABRT}) std::signal(fatal, SIG_DFL);
  const Fd nowhere(open("/dev/null", O_WRONLY | O_CLOEXEC));  // for LMDB's abort message
  if (nowhere) dup2(nowhere.get(), STDERR_FILENO);
  AuditVerifyOptions here = options;
  here.progress = [&](AuditSequence last, double share) {
    std::string said = "P";
    AuditPut(said).integer(last);
    AuditPut(said).integer(static_cast<std::uint32_t>(share * 1e6));
    write_all(out, said);
  };
  here.reached = &shared.done;
  write_all(out, encode(verify_audit(here)));
  _exit(0);
}

constexpr std::size_t kProgressSize = 1 + 8 + 4;

std::string read_to_end(int fd, const AuditVerifyOptions& options) {
  std::string text;
  char part[4096];
  ssize_t got = 0;
  while ((got = read(fd, part, sizeof part)) > 0 || (got < 0 && errno == EINTR)) {
    if (got < 0) continue;
    text.append(part, static_cast<std::size_t>(got));
    while (text.size() >= kProgressSize && text[0] == 'P') {
      AuditTake take(std::string_view(text).substr(1));
      const auto last = take.integer<AuditSequence>();
      if (options.progress) options.progress(last, take.integer<std::uint32_t>() / 1e6);
      text.erase(0, kProgressSize);
    }
  }
  return text;
}

AuditVerification crashed(AuditSequence done) {
  AuditVerification verification;
  verification.last = done;
  verification.finding = AuditFinding{
      AuditTamper::kChange, done + 1,
      fmt::format(
          "a segment file is damaged and cannot be read: its pages after sequence {} were changed",
          done)};
  return verification;
}

}  // namespace

Result<AuditVerification> verify_audit_apart(const AuditVerifyOptions& options) {
  void* const page =
      mmap(nullptr, sizeof(Shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  int ends[2];
  if (page == MAP_FAILED || pipe2(ends, O_CLOEXEC) != 0) {
    return failure(fmt::format("cannot verify in a child process: {}",
                               std::generic_category().message(errno)));
  }
  auto* const shared = new (page) Shared;
  Fd in(ends[0]);
  Fd out(ends[1]);
  const pid_t pid = fork();
  if (pid == 0) child(options, *shared, out.get());
  out.reset();
  const std::string text = pid < 0 ? std::string() : read_to_end(in.get(), options);
  int status = 0;
  while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR) continue;
  const AuditSequence done = shared->done;
  munmap(page, sizeof(Shared));
  if (pid < 0) return failure("cannot verify in a child process: fork failed");
  if (text.empty()) return crashed(done);
  AuditTake take(std::string_view(text).substr(1));
  if (text[0] == 'E') return failure(take_string(take));
  return decode(take);
}

}  // namespace claimsd::daemon
