// claimsctl config: prints each option of the running daemon with its value and its source.
#include <algorithm>

#include "client/claimsctl/command.h"
#include "client/claimsctl/reply.h"

namespace claimsd::ctl {
namespace {

class ConfigCommand final : public Command {
 public:
  std::vector<Option> options() override {
    return {
        {.names = "--set", .target = &set_, .help = "Only options that the file sets"},
    };
  }

  bool is_long() const override { return true; }

  Exit run(const Globals& globals, Output& output) override {
    const auto reply =
        read_reply(admin_get(globals.admin_socket, "/v1/config"), globals.admin_socket);
    if (!reply) return output.problem(reply.error());
    if (output.json()) {
      show_json(reply->root(), output);
      return Exit::kOkay;
    }
    std::size_t options = 0;
    std::size_t values = 0;
    each_at(reply->root(), "/options", [&](const Element& option) {
      if (!is_wanted(option)) return;
      options = std::max(options, text_at(option, "/option").size());
      values = std::max(values, std::min(kWidest, text_at(option, "/value").size()));
    });
    each_at(reply->root(), "/options", [&](const Element& option) {
      if (!is_wanted(option)) return;
      output.line(fmt::format("{:<{}}  {:<{}}  {}", text_at(option, "/option"), options,
                              text_at(option, "/value"), values,
                              output.coloured(Colour::kFaint, text_at(option, "/origin"))));
    });
    return Exit::kOkay;
  }

 private:
  static constexpr std::size_t kWidest = 40;  // a longer value may stick out of its column

  bool is_wanted(const Element& option) const {
    return !set_ || text_at(option, "/origin") != "default";
  }

  void show_json(const Element& reply, Output& output) const {
    if (!set_) return output.line(json_text(reply));
    std::string options;
    each_at(reply, "/options", [&](const Element& option) {
      if (is_wanted(option)) options += (options.empty() ? "" : ",") + json_text(option);
    });
    output.line(fmt::format(R"({{"schema":{},"options":[{}]}})", kOutputSchema, options));
  }

  bool set_ = false;
};

}  // namespace

std::unique_ptr<Command> make_config() {
  return std::make_unique<ConfigCommand>();
}

}  // namespace claimsd::ctl
