#include "daemon/sandbox/system_call_filter.h"

#include <errno.h>
#include <fmt/core.h>
#include <sched.h>
#include <seccomp.h>
#include <string.h>
#include <sys/resource.h>

#include <algorithm>
#include <memory>

#include "daemon/sandbox/system_calls.h"

namespace claimsd::daemon {
namespace {

struct Release {
  void operator()(void* context) const { seccomp_release(context); }
};
using Context = std::unique_ptr<void, Release>;

constexpr std::uint32_t kUnlisted = SCMP_ACT_ERRNO(ENOSYS);
constexpr std::uint32_t kOtherFamily = SCMP_ACT_ERRNO(EAFNOSUPPORT);

// libseccomp returns 0 or a negative errno.
Status done(int result, std::string_view what) {
  if (result >= 0) return {};
  return failure(
      fmt::format("cannot filter system calls ({}): {}", what, strerrordesc_np(-result)));
}

Status add_all(const Context& context, std::uint32_t action, std::span<const char* const> names) {
  for (const char* const name : names) {
    const int number = seccomp_syscall_resolve_name(name);
    if (number < 0) continue;  // not on this architecture, or newer than this library
    TRY(done(seccomp_rule_add(context.get(), action, number, 0), name));
  }
  return {};
}

// Several rules for one call: it is allowed if any of them matches.
Status add_families(const Context& context, int number) {
  constexpr unsigned kFamilyArgument = 0;
  int highest = 0;
  for (const int family : allowed_socket_families()) {
    highest = std::max(highest, family);
    TRY(done(seccomp_rule_add(
                 context.get(), SCMP_ACT_ALLOW, number, 1,
                 SCMP_CMP32(kFamilyArgument, SCMP_CMP_EQ, static_cast<std::uint32_t>(family))),
             "families"));
  }
  for (int family = 0; family < highest; ++family) {
    const auto allowed = allowed_socket_families();
    if (std::find(allowed.begin(), allowed.end(), family) != allowed.end()) continue;
    TRY(done(seccomp_rule_add(
                 context.get(), kOtherFamily, number, 1,
                 SCMP_CMP32(kFamilyArgument, SCMP_CMP_EQ, static_cast<std::uint32_t>(family))),
             "families"));
  }
  return done(seccomp_rule_add(
                  context.get(), kOtherFamily, number, 1,
                  SCMP_CMP32(kFamilyArgument, SCMP_CMP_GT, static_cast<std::uint32_t>(highest))),
              "families");
}

// Threads only, no processes. clone3(2) passes its flags by pointer, so it cannot be checked: it
// stays unlisted and libc falls back to clone(2).
Status add_threads(const Context& context) {
  return done(seccomp_rule_add(context.get(), SCMP_ACT_ALLOW, SCMP_SYS(clone), 1,
                               SCMP_A0(SCMP_CMP_MASKED_EQ, CLONE_THREAD, CLONE_THREAD)),
              "clone");
}

// Only lowers priority: the kernel refuses an unprivileged thread anything else.
Status add_giving_way(const Context& context) {
  TRY(done(seccomp_rule_add(context.get(), SCMP_ACT_ALLOW, SCMP_SYS(setpriority), 2,
                            SCMP_A0(SCMP_CMP_EQ, PRIO_PROCESS), SCMP_A1(SCMP_CMP_EQ, 0)),
           "setpriority"));
  return done(seccomp_rule_add(context.get(), SCMP_ACT_ALLOW, SCMP_SYS(sched_setscheduler), 1,
                               SCMP_A1(SCMP_CMP_EQ, SCHED_BATCH)),
              "sched_setscheduler");
}

Status add_read_only_limits(const Context& context) {
  return done(seccomp_rule_add(context.get(), SCMP_ACT_ALLOW, SCMP_SYS(prlimit64), 1,
                               SCMP_A2(SCMP_CMP_EQ, 0)),
              "prlimit64");
}

// An empty filter for all threads that applies `unlisted` to every call.
Result<Context> new_filter(std::uint32_t unlisted) {
  Context context(seccomp_init(unlisted));
  if (!context) return failure("cannot filter system calls: out of memory");
  scmp_filter_ctx filter = context.get();
  TRY(done(seccomp_attr_set(filter, SCMP_FLTATR_CTL_TSYNC, 1), "all threads"));
  // Log rejected calls to the kernel's audit log, if enabled there (seccomp/actions_logged).
  TRY(done(seccomp_attr_set(filter, SCMP_FLTATR_CTL_LOG, 1), "logging"));
  TRY(done(seccomp_attr_set(filter, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS), "other ABIs"));
  TRY(done(seccomp_attr_set(filter, SCMP_FLTATR_CTL_OPTIMIZE, 2), "binary tree"));
  return context;
}

}  // namespace

Status forbid_io_uring() {
  const Context context = TRY(new_filter(SCMP_ACT_ALLOW));
  TRY(add_all(context, kUnlisted, io_uring_system_calls()));
  return done(seccomp_load(context.get()), "load");
}

Status install_system_call_filter() {
  const Context context = TRY(new_filter(kUnlisted));
  TRY(add_all(context, SCMP_ACT_ALLOW, allowed_system_calls()));
  TRY(add_all(context, SCMP_ACT_KILL_PROCESS, hostile_system_calls()));
  TRY(add_families(context, SCMP_SYS(socket)));
  TRY(add_families(context, SCMP_SYS(socketpair)));
  TRY(add_threads(context));
  TRY(add_read_only_limits(context));
  TRY(add_giving_way(context));
  return done(seccomp_load(context.get()), "load");
}

}  // namespace claimsd::daemon
