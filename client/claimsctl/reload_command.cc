// claimsctl reload: makes the daemon read its configuration again and shows what changed.
#include "client/claimsctl/command.h"
#include "client/claimsctl/reply.h"
#include "daemon/base/secret.h"

namespace claimsd::ctl {
namespace {

class ReloadCommand final : public Command {
 public:
  Exit run(const Globals& globals, Output& output) override {
    const auto reply = read_reply(
        admin_post(globals.admin_socket, "/v1/reload", daemon::Secret(std::string_view("{}"))),
        globals.admin_socket);
    if (!reply) return output.problem(reply.error());
    if (output.json()) {
      output.line(json_text(reply->root()));
      return Exit::kOkay;
    }
    std::size_t changes = 0;
    each_at(reply->root(), "/changes", [&](const Element&) { ++changes; });
    output.line(fmt::format("{}: {}", output.coloured(Colour::kGood, "reloaded"),
                            changes == 0 ? "no option changed"
                                         : fmt::format("{} option{} changed", count_text(changes),
                                                       changes == 1 ? "" : "s")));
    each_at(reply->root(), "/changes", [&](const Element& change) {
      output.line(fmt::format("  {}: {} -> {}", text_at(change, "/option"),
                              text_at(change, "/from"), text_at(change, "/to")));
    });
    return Exit::kOkay;
  }
};

}  // namespace

std::unique_ptr<Command> make_reload() {
  return std::make_unique<ReloadCommand>();
}

}  // namespace claimsd::ctl
