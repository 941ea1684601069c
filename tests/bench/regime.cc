#include "tests/bench/regime.h"

#include <fmt/core.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <string>
#include <system_error>

namespace claimsd::bench {
namespace {

namespace fs = std::filesystem;

Status pin_thread(pid_t thread, int core) {
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(static_cast<std::size_t>(core), &set);
  if (::sched_setaffinity(thread, sizeof set, &set) != 0 && errno != ESRCH) {
    return failure(
        fmt::format("cannot pin thread {} to core {}: {}", thread, core, std::strerror(errno)));
  }
  return {};
}

// All existing threads; new ones inherit the core from their creator.
Status pin_process(pid_t process, int core) {
  std::error_code error;
  const std::string tasks = fmt::format("/proc/{}/task", process);
  for (const fs::directory_entry& task : fs::directory_iterator(tasks, error)) {
    TRY(pin_thread(static_cast<pid_t>(std::stoi(task.path().filename().string())), core));
  }
  if (error)
    return failure(fmt::format("cannot list the threads in {}: {}", tasks, error.message()));
  return {};
}

Result<cpu_set_t> own_cores() {
  cpu_set_t set;
  if (::sched_getaffinity(0, sizeof set, &set) != 0) {
    return failure(fmt::format("cannot read the CPU affinity: {}", std::strerror(errno)));
  }
  return set;
}

int spin(int core) {
  const sched_param lowest{};
  if (!pin_thread(0, core) || ::sched_setscheduler(0, SCHED_IDLE, &lowest) != 0) return 1;
  for (volatile unsigned turns = 0;;) turns = turns + 1;
}

}  // namespace

bool pin_to(int core) {
  return pin_thread(0, core).has_value();
}

std::string_view text_of(Regime regime) {
  switch (regime) {
    case Regime::kOneCore: return "both sides on one core";
    case Regime::kTwoAwake:
    case Regime::kAskerAwake: return "two cores kept awake";
    case Regime::kIdle: return "two idle cores";
  }
  return "";
}

Result<Cores> Cores::available() {
  const cpu_set_t set = TRY(own_cores());
  Cores cores{.client = -1, .server = -1};
  for (int core = 0; core < CPU_SETSIZE; ++core) {
    if (!CPU_ISSET(static_cast<std::size_t>(core), &set)) continue;
    if (cores.client < 0) cores.client = core;
    cores.server = core;
  }
  return cores;
}

Placement::~Placement() {
  if (before_) ::sched_setaffinity(0, sizeof *before_, before_.get());
}

Result<Placement> Placement::apply(Regime regime, const Cores& cores,
                                   const std::vector<pid_t>& servers) {
  Placement placement(std::make_unique<cpu_set_t>(TRY(own_cores())));
  // The last core, because devices mostly interrupt the first.
  TRY(pin_thread(0, regime == Regime::kOneCore ? cores.server : cores.client));
  for (const pid_t server : servers) TRY(pin_process(server, cores.server));
  std::vector<int> awake;
  if (regime == Regime::kTwoAwake || regime == Regime::kAskerAwake) awake.push_back(cores.client);
  if (regime == Regime::kTwoAwake) awake.push_back(cores.server);
  for (const int core : awake) {
    placement.spinners_.push_back(TRY(Process::fork_off("spinner", [core] { return spin(core); })));
  }
  return placement;
}

}  // namespace claimsd::bench
