#include "daemon/fleet_setup.h"

#include <fmt/core.h>
#include <limits.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <set>

#include "daemon/admin/status_json.h"
#include "daemon/base/secret_file.h"
#include "daemon/store/head_copy.h"
#include "daemon/version.h"
#include "daemon/wiring.h"

namespace claimsd::daemon {
namespace {

constexpr std::size_t kMinKey = 32;
constexpr std::uint16_t kRedisPort = 6379;
constexpr std::uint16_t kSentinelPort = 26379;
constexpr claims::HostId kNoHost{};

Result<Secret> read_key(const char* option, const std::string& path) {
  Result<Secret> key = read_secret_file(path);
  if (!key) return failure(fmt::format("fleet.{}: {}", option, key.error().message));
  if (key->view().size() < kMinKey)
    return failure(
        fmt::format("fleet.{0}: {1} has {2} bytes, and a key needs at least {3}: create it with "
                    "openssl rand -out {1} {3}",
                    option, path, key->view().size(), kMinKey));
  struct stat found {};
  if (stat(path.c_str(), &found) == 0 && (found.st_mode & S_IRWXO) != 0)
    return failure(fmt::format(
        "fleet.{0}: all users of this host can use {1}: chmod o= {1}, and replace the key, which "
        "may be known",
        option, path));
  return key;
}

std::vector<redis::Endpoint> endpoints_of(const std::vector<std::string>& urls,
                                          std::uint16_t default_port) {
  std::vector<redis::Endpoint> endpoints;
  for (const std::string& url : urls)
    endpoints.push_back(redis::endpoint_of(url, default_port).value());
  return endpoints;
}

std::string host_name(const config::FleetConfig& fleet) {
  if (!fleet.host_name.empty()) return fleet.host_name;
  std::array<char, HOST_NAME_MAX + 1> name{};
  return gethostname(name.data(), name.size() - 1) == 0 ? name.data() : "unknown";
}

fleet::WhenLost when(bool unavailable) {
  return unavailable ? fleet::WhenLost::kUnavailable : fleet::WhenLost::kServe;
}

// Stored actions of a fleet that invalidate tokens now.
struct InEffect {
  std::set<claims::ActionId> actions;
  WallTime last_end = WallTime::min();
};

InEffect in_effect(const StoredRevocations& stored) {
  std::set<claims::ActionId> withdrawn;
  for (const claims::Withdrawal& one : stored.withdrawals) withdrawn.insert(one.action);
  InEffect found;
  for (const claims::Rule& rule : stored.rules) {
    if (rule.author == kNoHost || claims::is_purge(rule.name.kind) ||
        withdrawn.count(rule.key.action) != 0)
      continue;
    found.actions.insert(rule.key.action);
    found.last_end = std::max({found.last_end, rule.ends.wall, rule.without_iat_ends.wall});
  }
  return found;
}

// Removes everything that hosts of a fleet ordered, this one included.
Status drop_fleet(const StoredRevocations& stored) {
  // First what the file has to write itself: it would store these rules again.
  if (const claims::RevocationChange due = stored.file.take_due(); !due.empty())
    TRY(stored.file.write(due));
  claims::RevocationChange dropped;
  for (const claims::Rule& one : stored.rules) {
    if (one.author != kNoHost) dropped.ended_rules.push_back(one.key);
  }
  for (const claims::Withdrawal& one : stored.withdrawals) {
    if (one.author != kNoHost) dropped.ended_withdrawals.push_back(one.action);
  }
  if (dropped.empty()) return {};
  TRY(stored.file.write(dropped));
  std::erase_if(stored.rules, [](const claims::Rule& one) { return one.author != kNoHost; });
  std::erase_if(stored.withdrawals,
                [](const claims::Withdrawal& one) { return one.author != kNoHost; });
  return {};
}

// Drops the stored actions of a fleet if nothing depends on them or the operator accepted that.
// `cause` and `fix` complete the refusal.
Status leave_fleet(const FleetSetup& setup, const StoredRevocations& stored, std::string& accepted,
                   Log& log, std::string_view cause, std::string_view fix) {
  const InEffect found = in_effect(stored);
  if (found.actions.empty()) return drop_fleet(stored);
  constexpr std::size_t kDigits = 8;
  const std::string acceptance =
      "fleet-" + store::digest_text(stored.file.head()).substr(0, kDigits);
  const std::size_t count = found.actions.size();
  if (setup.accepted_digest != acceptance)
    return failure(fmt::format(
        "the revocations in {} hold {} actions of a fleet, {}: the tokens would be valid again. "
        "{}. Or wait until the last of them ends ({}). To drop them on this host, start claimsd "
        "once with --accept-revocations={}",
        setup.config.revocations.directory.native(), count, cause, fix,
        found.last_end == WallTime::max() ? "never" : admin::rfc3339(found.last_end), acceptance));
  TRY(drop_fleet(stored));
  accepted = fmt::format("{} revocations of a fleet dropped, {}: accepted with {}", count, cause,
                         acceptance);
  log.warning("revocations_accepted", "{}", accepted);
  return {};
}

Result<fleet::HostIdentity> open_identity(const FleetSetup& setup, const StoredRevocations& stored,
                                          const fleet::FleetMark& mark, std::string& accepted,
                                          Random& random, Log& log) {
  const std::string path = host_file_of(setup.config);
  const std::optional<fleet::HostIdentity> known = TRY(fleet::load_host_identity(path));
  if (known && known->fleet == mark) return *known;
  fleet::HostIdentity identity = fleet::make_host_identity(mark, random);
  if (known) {
    TRY(leave_fleet(setup, stored, accepted, log,
                    "made with another fleet.name or fleet.fingerprint_key_file",
                    "Restore that name and the content of that key file"));
    identity.id = known->id;
  }
  TRY(fleet::save_host_identity(path, identity));
  return identity;
}

fleet::Settings replica_settings_from(const config::Config& config,
                                      const fleet::HostIdentity& identity) {
  return {.fleet = config.fleet.name,
          .host = identity.id,
          .host_name = host_name(config.fleet),
          .version = kVersion,
          .when_lost = when(config.fleet.unavailable_when_lost),
          .lost_after = config.fleet.lost_after,
          .join = when(!config.fleet.serve_before_join),
          .max_items = 2 * config.revocations.max_entries,
          .was_current_at = identity.was_current_at};
}

}  // namespace

Result<FleetKeys> read_fleet_keys(const config::FleetConfig& fleet) {
  FleetKeys keys;
  for (const std::string& file : fleet.seal_key_files)
    keys.seal.push_back(TRY(read_key("seal_key_files", file)));
  keys.fingerprint = TRY(read_key("fingerprint_key_file", fleet.fingerprint_key_file));
  for (const Secret& seal : keys.seal) {
    if (seal.view() == keys.fingerprint.view())
      return failure("fleet.fingerprint_key_file: this key is also a seal key: create another one");
  }
  return keys;
}

Result<std::optional<OpenedFleet>> open_fleet(const FleetSetup& setup, StoredRevocations stored,
                                              std::string& accepted, Random& random, Log& log) {
  const config::FleetConfig& fleet = setup.config.fleet;
  if (!fleet.is_on()) {
    if (!in_effect(stored).actions.empty())
      TRY(leave_fleet(setup, stored, accepted, log,
                      "which cannot be applied without its fingerprint key",
                      "Put [fleet] back into the configuration"));
    return std::optional<OpenedFleet>();
  }
  FleetKeys keys = TRY(read_fleet_keys(fleet));
  const fleet::FleetMark mark = TRY(fleet::fleet_mark(fleet.name, keys.fingerprint));
  const fleet::HostIdentity identity =
      TRY(open_identity(setup, stored, mark, accepted, random, log));
  store::HmacFingerprinter fingerprinter =
      TRY(store::HmacFingerprinter::create(keys.fingerprint, upstream_names_from(setup.config)));
  return std::optional(OpenedFleet{std::move(keys.seal), std::move(fingerprinter), identity});
}

std::string host_file_of(const config::Config& config) {
  return config.revocations.directory.native() + "/fleet_host";
}

redis::Settings redis_settings_from(const config::FleetConfig& fleet) {
  return {.servers = endpoints_of(fleet.urls, kRedisPort),
          .sentinels = endpoints_of(fleet.sentinels, kSentinelPort),
          .master = fleet.master,
          .user = fleet.user,
          .password_file = fleet.password_file,
          .ca_file = fleet.ca_file,
          .client_certificate = fleet.client_certificate,
          .client_key = fleet.client_key};
}

FleetMember::Options member_options_from(const config::Config& config, OpenedFleet& opened) {
  return {.replica = replica_settings_from(config, opened.identity),
          .seal_keys = std::move(opened.seal_keys),
          .servers = redis_settings_from(config.fleet),
          .identity = opened.identity,
          .host_file = host_file_of(config)};
}

}  // namespace claimsd::daemon
