// Checks of files on disk: the host key, the three data directories, and their free space.
#include <fmt/core.h>

#include <algorithm>

#include "client/claimsctl/doctor/checks.h"
#include "client/claimsctl/output.h"

namespace claimsd::claimsctl::doctor {
namespace {

constexpr std::uint64_t kRevocationsNeed = 16 * 1024 * 1024;  // bytes
constexpr std::uint64_t kLowPercent = 5;                      // percent of the file system
constexpr char kCredentials[] = "/run/credentials/";          // systemd.exec(5)

Finding not_seen(const Place& place) {
  return {State::kUnchecked, place.found.error().message, kRunAsRoot};
}

Finding faulty(const store::FileFault& fault) {
  return {State::kFailed, fault.what, fault.fix};
}

// Nothing exists at this path yet. The daemon creates the last component itself.
Finding missing(const Facts& facts, const Place& place, std::string_view what) {
  if (!facts.daemon) {
    return {State::kOk,
            fmt::format("{} {} does not exist yet: the daemon creates it when it starts", what,
                        place.path),
            ""};
  }
  return {State::kFailed,
          fmt::format("{} {} is missing although the daemon is running", what, place.path),
          "systemctl restart claimsd, then find out what removed it"};
}

enum class Lies : bool { kInMemory, kOnDisk };

Findings judge_directory(const Facts& facts, const Place& place, const Result<DiskFacts>& disk,
                         std::string_view what, Lies lies) {
  if (!place.found) return {not_seen(place)};
  if (!*place.found) return {missing(facts, place, what)};
  if (const auto fault =
          store::judge_private_directory(place.path, **place.found, facts.daemon_uid))
    return {faulty(*fault)};
  if (disk && disk->in_memory && lies == Lies::kOnDisk) {
    return {{State::kFailed,
             fmt::format("{} {} is on a memory file system: a reboot deletes it", what, place.path),
             "put it on a disk"}};
  }
  if (disk && !disk->in_memory && lies == Lies::kInMemory) {
    return {{State::kWarning,
             fmt::format("{} {} is on a disk, so sealed claims remain after a reboot", what,
                         place.path),
             "put it on a tmpfs, such as /run/claimsd-cache"}};
  }
  return {{State::kOk,
           fmt::format("{} ({}, mode {:04o})", place.path, place.owner, (**place.found).mode), ""}};
}

void judge_room(Findings& all, const Result<DiskFacts>& disk, const std::string& path,
                std::uint64_t needs, std::string_view fix) {
  if (!disk) {
    all.push_back({State::kUnchecked, disk.error().message, kRunAsRoot});
    return;
  }
  const std::string left =
      fmt::format("{} of {} free", bytes_text(disk->free_bytes), bytes_text(disk->total_bytes));
  if (disk->read_only) {
    all.push_back({State::kFailed, fmt::format("the file system of {} is read-only", path),
                   "check the mount options, and the kernel's log (dmesg) for disk errors"});
  } else if (disk->no_free_files) {
    all.push_back({State::kFailed, fmt::format("the file system of {} has no free inodes", path),
                   "delete files there; df -i shows the usage"});
  } else if (disk->free_bytes < needs) {
    all.push_back(
        {State::kFailed,
         fmt::format("{}: {}, but up to {} more may be needed", path, left, bytes_text(needs)),
         std::string(fix)});
  } else if (disk->free_bytes / kLowPercent < disk->total_bytes / 100) {
    all.push_back({State::kWarning, fmt::format("{}: {}", path, left), std::string(fix)});
  }
}

}  // namespace

Findings check_host_key(const Facts& facts) {
  const Place& key = facts.configured->host_key;
  const Place& directory = facts.configured->host_key_directory;
  const bool credential = key.path.starts_with(kCredentials);
  if (!key.found) return {not_seen(key)};
  if (!*key.found && credential) {
    if (facts.daemon)
      return {{State::kFailed, fmt::format("systemd did not provide the credential {}", key.path),
               "put the key into /etc/credstore, then: systemctl restart claimsd"}};
    return {{State::kUnchecked, fmt::format("{} exists only while the daemon runs", key.path),
             "systemctl start claimsd"}};
  }
  if (!*key.found) return {missing(facts, key, "the host key")};
  const auto source = credential ? store::HostKeySource::kCredential : store::HostKeySource::kFile;
  if (const auto fault = store::judge_host_key(key.path, **key.found, source, facts.daemon_uid))
    return {faulty(*fault)};
  if (!credential && directory.found && *directory.found) {
    if (const auto fault =
            store::judge_guarded_directory(directory.path, **directory.found, facts.daemon_uid))
      return {faulty(*fault)};
  }
  return {{State::kOk, fmt::format("{} ({}, mode {:04o})", key.path, key.owner, (**key.found).mode),
           ""}};
}

Findings check_cache(const Facts& facts) {
  return judge_directory(facts, facts.configured->cache, facts.configured->cache_disk, "the cache",
                         Lies::kInMemory);
}

Findings check_revocations(const Facts& facts) {
  return judge_directory(facts, facts.configured->revocations, facts.configured->revocations_disk,
                         "the revocation directory", Lies::kOnDisk);
}

Findings check_audit(const Facts& facts) {
  if (!facts.config->config.audit.enabled) {
    return {{State::kWarning, "there is none: audit.enabled is false",
             "set audit.enabled = true, unless you need no record of rejections"}};
  }
  return judge_directory(facts, facts.configured->audit, facts.configured->audit_disk,
                         "the audit log", Lies::kOnDisk);
}

Findings check_disk(const Facts& facts) {
  const auto& config = facts.config->config;
  const auto& found = *facts.configured;
  Findings all;
  const auto cache_grows =
      config.cache.max_bytes - std::min(config.cache.max_bytes, found.cache_file_bytes);
  judge_room(all, found.cache_disk, found.cache.path, cache_grows,
             "enlarge the tmpfs or lower cache.max_bytes");
  judge_room(all, found.revocations_disk, found.revocations.path, kRevocationsNeed,
             "free up disk space: a revocation that is not on disk does not survive a reboot");
  if (config.audit.enabled) {
    judge_room(
        all, found.audit_disk, found.audit.path, config.audit.segment_bytes,
        "free up disk space, or lower audit.max_bytes or audit.keep: queries whose record cannot "
        "be written are answered \"unavailable\"");
  }
  if (all.empty()) {
    const auto& disk = config.audit.enabled ? found.audit_disk : found.revocations_disk;
    all.push_back({State::kOk,
                   fmt::format("{} of {} free for {}", bytes_text(disk->free_bytes),
                               bytes_text(disk->total_bytes),
                               config.audit.enabled ? "the audit log" : "the revocations"),
                   ""});
  }
  return all;
}

}  // namespace claimsd::claimsctl::doctor
