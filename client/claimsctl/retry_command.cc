// claimsctl retry: ends the backoff of a failing Auth API, so that the next query makes a request.
#include "client/claimsctl/command.h"
#include "client/claimsctl/reply.h"
#include "daemon/base/secret.h"

namespace claimsd::claimsctl {
namespace {

class RetryCommand final : public Command {
 public:
  std::vector<Option> options() override {
    return {{.names = "name",
             .target = &upstream_,
             .help = "The upstream, as in [upstream.NAME]; without it, all",
             .value = "NAME",
             .check = check_upstream_name}};
  }

  Exit run(const Globals& globals, Output& output) override {
    const std::string path = "/v1/retry" + (upstream_.empty() ? "" : "?upstream=" + upstream_);
    const auto reply =
        read_reply(admin_post(globals.admin_socket, path, Secret(std::string_view("{}"))),
                   globals.admin_socket);
    if (!reply) return output.problem(reply.error());
    if (output.json()) {
      output.line(json_text(reply->root()));
      return Exit::kOkay;
    }
    each_at(reply->root(), "/upstreams", [&](const Element& one) {
      const double waited = number_at(one, "/backoff_seconds");
      output.line(fmt::format(
          "{}: {}", text_at(one, "/name"),
          waited > 0 ? fmt::format("the next query makes a request; {} of the backoff remained",
                                   duration_text(waited))
                     : std::string("was not waiting")));
    });
    return Exit::kOkay;
  }

 private:
  std::string upstream_;
};

}  // namespace

std::unique_ptr<Command> make_retry() {
  return std::make_unique<RetryCommand>();
}

}  // namespace claimsd::claimsctl
