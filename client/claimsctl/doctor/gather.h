// gather.h: looks at this host and puts down what it saw. Judges nothing, changes nothing, and
// sends no token anywhere. Blocks: on the file system, the two sockets, and the Auth APIs for as
// long as their time-outs say.
#pragma once

#include <string>
#include <vector>

#include "client/claimsctl/command.h"
#include "client/claimsctl/doctor/facts.h"

namespace claimsd::ctl::doctor {

struct Wanted {
  std::string config_file;           // "": the running daemon's, else the usual one
  std::vector<std::string> workers;  // names of users
};

Facts gather(const Globals& globals, const Wanted& wanted);

// Its parts.
Place look_at(const std::string& path);
Result<DiskFacts> look_at_disk_of(const std::string& path);  // its nearest parent that exists
std::optional<User> find_user(const std::string& name);
User current_user();
std::string name_of_uid(std::uint32_t uid);
std::vector<std::string> members_of_gid(std::uint32_t gid);
std::vector<AuthApiFacts> ask_auth_apis(const daemon::Config& config, const daemon::Clock& clock);

// The end of the first certificate of a PEM text. Pure.
Result<daemon::WallTime> certificate_end(const std::string& pem);

}  // namespace claimsd::ctl::doctor
