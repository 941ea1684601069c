// claimsctl fleet: this host in its fleet, and the state of all hosts as this one knows it.
#include <fmt/core.h>

#include "client/claimsctl/command.h"
#include "client/claimsctl/reply.h"
#include "client/claimsctl/table.h"

namespace claimsd::claimsctl {
namespace {

// "never_current" of the daemon in words.
std::string words(std::string state) {
  for (char& c : state) {
    if (c == '_') c = ' ';
  }
  return state;
}

class FleetCommand final : public Command {
 public:
  bool is_long() const override { return true; }

  Exit run(const Globals& globals, Output& output) override {
    const auto reply =
        read_reply(admin_get(globals.admin_socket, "/v1/fleet"), globals.admin_socket);
    if (!reply) return output.problem(reply.error());
    const Element& root = reply->root();
    std::size_t hosts = 0;
    std::size_t current = 0;
    Table table({Align::kLeft, Align::kLeft, Align::kLeft, Align::kRight, Align::kRight});
    table.add({"host", "version", "state", "seen", "actions"});
    each_at(root, "/hosts", [&](const Element& host) {
      ++hosts;
      current += text_at(host, "/state") == "current" ? 1 : 0;
      add_host(host, table, output);
    });
    const bool on = truth_at(root, "/fleet/on");
    const bool all = current == hosts && truth_at(root, "/fleet/current");
    if (output.json()) {
      output.line(json_text(root));
    } else if (!on) {
      output.line("this host is in no fleet: its configuration has no [fleet]");
    } else {
      show_this(root, fmt::format("{} of {} hosts are current", current, hosts), output);
      for (const auto& line : table.lines()) output.line(line);
    }
    return !on || all ? Exit::kOkay : Exit::kUnavailable;
  }

 private:
  static void add_host(const Element& host, Table& table, Output& output) {
    const std::string state = text_at(host, "/state");
    const Colour colour = state == "current" ? Colour::kGood : Colour::kBad;
    table.add({text_at(host, "/name") + (truth_at(host, "/this_host") ? " (this host)" : ""),
               text_at(host, "/version"), output.coloured(colour, words(state)),
               duration_text(number_at(host, "/seen_seconds")) + " ago",
               count_text(count_at(host, "/actions"))});
  }

  static void show_this(const Element& root, const std::string& hosts, Output& output) {
    const bool current = truth_at(root, "/fleet/current");
    output.line(fmt::format("fleet {}: {}", text_at(root, "/fleet/name"),
                            output.coloured(current ? Colour::kGood : Colour::kBad,
                                            words(text_at(root, "/fleet/state")))));
    output.field("hosts", hosts);
    output.field("actions", count_text(count_at(root, "/fleet/actions")));
    const bool connected = truth_at(root, "/fleet/connected");
    output.field("Redis", connected ? text_at(root, "/fleet/server")
                                    : "not connected: " + text_at(root, "/fleet/error"));
    if (has(root, "/fleet/pulse_age_seconds"))
      output.field("last pulse",
                   duration_text(number_at(root, "/fleet/pulse_age_seconds")) + " ago");
    output.field("answers", truth_at(root, "/fleet/answers")
                                ? "this host answers queries"
                                : "this host answers every query unavailable");
  }
};

}  // namespace

std::unique_ptr<Command> make_fleet() {
  return std::make_unique<FleetCommand>();
}

}  // namespace claimsd::claimsctl
