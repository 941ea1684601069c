#include "daemon/base/process_usage.h"

#include <dirent.h>
#include <sys/resource.h>
#include <unistd.h>

#include <fstream>
#include <memory>
#include <string>

namespace claimsd {
namespace {

struct CloseDirectory {
  void operator()(DIR* directory) const { closedir(directory); }
};

// Entries of /proc/self/fd without ".", ".." and the descriptor that reads it.
std::uint64_t count_descriptors() {
  const std::unique_ptr<DIR, CloseDirectory> directory(opendir("/proc/self/fd"));
  if (!directory) return 0;
  std::uint64_t entries = 0;
  while (readdir(directory.get()) != nullptr) ++entries;
  return entries < 3 ? 0 : entries - 3;
}

Duration in_duration(const timeval& time) {
  return seconds(time.tv_sec) + std::chrono::microseconds(time.tv_usec);
}

// Parses "VmRSS:     12345 kB" in /proc/self/status: the number after `name`.
std::uint64_t number_after(const std::string& line, const char* name) {
  const std::string label = std::string(name) + ":";
  return line.rfind(label, 0) == 0 ? std::stoull(line.substr(label.size())) : 0;
}

void read_status(ProcessUsage& usage) {
  constexpr std::uint64_t kKiB = 1024;
  std::ifstream file("/proc/self/status");
  for (std::string line; std::getline(file, line);) {
    usage.virtual_bytes += kKiB * number_after(line, "VmSize");
    usage.resident_bytes += kKiB * number_after(line, "VmRSS");
    usage.threads += number_after(line, "Threads");
  }
}

}  // namespace

ProcessUsage read_process_usage() {
  ProcessUsage usage;
  rusage times{};
  if (getrusage(RUSAGE_SELF, &times) == 0)
    usage.cpu = in_duration(times.ru_utime) + in_duration(times.ru_stime);
  read_status(usage);
  usage.open_descriptors = count_descriptors();
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) == 0) usage.max_descriptors = limit.rlim_cur;
  return usage;
}

}  // namespace claimsd
