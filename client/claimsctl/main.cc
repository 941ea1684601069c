// claimsctl: the command line of claimsd. Parses, finds the command in the table, runs it.
#include <fmt/core.h>

#include <cstdlib>

#include "client/claimsctl/command_line.h"
#include "client/claimsctl/pager.h"
#include "client/claimsctl/usage.h"

namespace {

using claimsd::ctl::Command;
using claimsd::ctl::CommandLine;
using claimsd::ctl::Exit;
using claimsd::ctl::Output;
using claimsd::ctl::Pager;

int status_of(Exit exit) {
  return static_cast<int>(exit);
}

int run(int argc, char** argv) {
  CommandLine line;
  auto& app = line.app();
  try {
    app.parse(argc, argv);
  } catch (const CLI::Success& wanted) {  // --help, --version
    return app.exit(wanted);
  } catch (const CLI::ParseError& error) {
    const std::vector<std::string> words(argv + 1, argv + argc);
    return status_of(Output(false).problem(claimsd::ctl::usage_problem(error, app, words)));
  }
  Output output(line.globals().json);
  Command* const chosen = line.chosen();
  if (chosen == nullptr) return status_of(Exit::kUsage);
  const Pager pager = chosen->is_long() ? Pager::start() : Pager();
  return status_of(chosen->run(line.globals(), output));
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
