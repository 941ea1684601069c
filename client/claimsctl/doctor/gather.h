// gather.h: collects facts about this host. Judges nothing, changes nothing, and sends no token.
// Blocks on the file system, the two sockets, and the Auth APIs up to their timeouts.
#pragma once

#include <string>
#include <vector>

#include "client/claimsctl/command.h"
#include "client/claimsctl/doctor/facts.h"

namespace claimsd::claimsctl::doctor {

struct Wanted {
  std::string config_file;           // "": that of the running daemon, else the default path
  std::vector<std::string> workers;  // user names
};

Facts gather(const Globals& globals, const Wanted& wanted);

// The parts of gather().
Place look_at(const std::string& path);
Result<DiskFacts> look_at_disk_of(const std::string& path);  // of the nearest parent that exists
std::optional<User> find_user(const std::string& name);
User current_user();
std::string name_of_uid(std::uint32_t uid);
std::vector<std::string> members_of_gid(std::uint32_t gid);
std::vector<AuthApiFacts> ask_auth_apis(const config::Config& config, const Clock& clock);

// The expiry of the first certificate in a PEM text. Pure.
Result<WallTime> certificate_end(const std::string& pem);

}  // namespace claimsd::claimsctl::doctor
