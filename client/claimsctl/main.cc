// claimsctl: the command line of claimsd. Parses, finds the command in the table, runs it.
#include <fmt/core.h>

#include <cstdlib>

#include "client/claimsctl/command_line.h"
#include "client/claimsctl/pager.h"

namespace {

using claimsd::claimsctl::Command;
using claimsd::claimsctl::CommandLine;
using claimsd::claimsctl::Exit;
using claimsd::claimsctl::Output;
using claimsd::claimsctl::Pager;

int status_of(Exit exit) {
  return static_cast<int>(exit);
}

int run(int argc, char** argv) {
  CommandLine line;
  if (const auto status = line.parse(argc, argv)) return *status;
  Output output(line.globals().json);
  Command& chosen = line.chosen();
  const Pager pager = chosen.is_long() ? Pager::start() : Pager();
  return status_of(chosen.run(line.globals(), output));
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return run(argc, argv);
  } catch (const std::exception& error) {
    fmt::print(stderr, "claimsctl: {}\n", error.what());
    return status_of(Exit::kUnavailable);
  }
}
