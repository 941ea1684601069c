// claimsctl monitor: prints the daemon's events as they happen, one per line, until interrupted or
// for --count events.
#include <fmt/core.h>

#include "client/claimsctl/command.h"
#include "client/claimsctl/reply.h"

namespace claimsd::claimsctl {
namespace {

// Seconds that the daemon holds a poll open. Must be below the request timeout (admin_client.cc).
constexpr int kWaitSeconds = 3;

std::string who_text(const Element& event) {
  return has(event, "/uid") ? fmt::format("uid {}", count_at(event, "/uid")) : "unknown uid";
}

std::string request_text(const Element& event, const Output& output) {
  const auto reason = text_at(event, "/reason");
  const Colour colour = reason == "ok"         ? Colour::kGood
                        : reason == "rejected" ? Colour::kUnsure
                                               : Colour::kBad;
  const auto status = count_at(event, "/http_status");
  return fmt::format("{} {} in {}{}", text_at(event, "/upstream"), output.coloured(colour, reason),
                     duration_text(number_at(event, "/took_seconds")),
                     status == 0 ? "" : fmt::format(", HTTP {}", status));
}

std::string breaker_text(const Element& event, const Output& output) {
  const auto state = text_at(event, "/state");
  const auto name = text_at(event, "/upstream");
  if (state == "closed")
    return name + ": circuit breaker " + output.coloured(Colour::kGood, "closed");
  if (state == "half_open")
    return name + ": circuit breaker " + output.coloured(Colour::kUnsure, "half-open");
  return name + ": circuit breaker " + output.coloured(Colour::kBad, "open");
}

std::string event_text(const Element& event, const Output& output) {
  const auto kind = text_at(event, "/event");
  if (kind == "request_completed") return request_text(event, output);
  if (kind == "breaker_changed") return breaker_text(event, output);
  if (kind == "purged" || kind == "revoked")
    return fmt::format("{} {} {}", who_text(event), kind, text_at(event, "/subject"));
  if (kind == "unrevoked") return fmt::format("{} withdrew a revocation", who_text(event));
  if (kind == "peer_refused")
    return fmt::format("{} {}: {}", who_text(event), output.coloured(Colour::kBad, "rejected"),
                       text_at(event, "/why"));
  return "";
}

class MonitorCommand final : public Command {
 public:
  std::vector<Option> options() override {
    return {
        {.names = "--count",
         .target = &count_,
         .help = "Stop after this many events; 0: never",
         .value = "N",
         .shows_default = true,
         .check = check_count},
    };
  }

  Exit run(const Globals& globals, Output& output) override {
    std::string path = "/v1/events";
    std::string daemon;
    for (std::uint64_t seen = 0;;) {
      const auto reply = read_reply(admin_get(globals.admin_socket, path), globals.admin_socket);
      if (!reply) return output.problem(reply.error());
      const auto started = text_at(reply->root(), "/daemon_started");
      if (!daemon.empty() && started != daemon) note(output, "restarted", 0);
      daemon = started;
      if (const auto missed = count_at(reply->root(), "/missed"); missed > 0)
        note(output, "missed", missed);
      bool enough = false;
      each_at(reply->root(), "/events", [&](const Element& event) {
        if (enough) return;
        show(event, output);
        enough = ++seen == count_;
      });
      if (enough) return Exit::kOkay;
      path = fmt::format("/v1/events?after={}&wait={}", count_at(reply->root(), "/last"),
                         kWaitSeconds);
    }
  }

 private:
  static void show(const Element& event, Output& output) {
    if (output.json()) {
      output.line(json_with_schema(event));
    } else {
      output.line(fmt::format("{}  {:<13}  {}", text_at(event, "/time"), text_at(event, "/event"),
                              event_text(event, output)));
    }
    output.flush();
  }

  // A note from claimsctl itself, not an event of the daemon.
  static void note(Output& output, std::string_view what, std::uint64_t count) {
    if (output.json()) {
      output.line(
          fmt::format(R"({{"schema":{},"event":"{}","count":{}}})", kOutputSchema, what, count));
    } else if (what == "missed") {
      output.line(output.coloured(Colour::kUnsure, fmt::format("{} events were missed", count)));
    } else {
      output.line(output.coloured(Colour::kUnsure, "the daemon was restarted"));
    }
    output.flush();
  }

  std::uint64_t count_ = 0;
};

}  // namespace

std::unique_ptr<Command> make_monitor() {
  return std::make_unique<MonitorCommand>();
}

}  // namespace claimsd::claimsctl
