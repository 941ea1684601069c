// claimsctl log-level: prints or sets the daemon's log level. A setting lasts until the next reload
// or restart.
#include "client/claimsctl/command.h"
#include "client/claimsctl/reply.h"
#include "daemon/base/secret.h"
#include "daemon/log/log.h"

namespace claimsd::ctl {
namespace {

std::string check_level(const std::string& text) {
  for (const daemon::LogLevel level : daemon::kLogLevels) {
    if (text == name_of(level)) return "";
  }
  return "must be debug, info, warning or error";
}

class LogLevelCommand final : public Command {
 public:
  std::vector<Option> options() override {
    return {{.names = "level",
             .target = &level_,
             .help = "The new level; without it, the current level is printed",
             .value = "debug|info|warning|error",
             .check = check_level}};
  }

  Exit run(const Globals& globals, Output& output) override {
    const auto answer = level_.empty() ? admin_get(globals.admin_socket, "/v1/log-level")
                                       : admin_post(globals.admin_socket, "/v1/log-level",
                                                    daemon::Secret(std::string_view(fmt::format(
                                                        R"({{"level":"{}"}})", level_))));
    const auto reply = read_reply(answer, globals.admin_socket);
    if (!reply) return output.problem(reply.error());
    if (output.json()) {
      output.line(json_text(reply->root()));
      return Exit::kOkay;
    }
    const std::string now = text_at(reply->root(), "/level");
    const std::string configured = text_at(reply->root(), "/configured");
    output.line(now == configured
                    ? fmt::format("{}, as configured", now)
                    : fmt::format("{} until the next reload or restart, then {} as configured", now,
                                  configured));
    return Exit::kOkay;
  }

 private:
  std::string level_;
};

}  // namespace

std::unique_ptr<Command> make_log_level() {
  return std::make_unique<LogLevelCommand>();
}

}  // namespace claimsd::ctl
