// claimsctl top: a live view of the daemon's activity; q or Ctrl-C quits. Without a terminal or
// with --once it prints one frame; with --json one object per interval.
#include <fmt/core.h>
#include <poll.h>

#include "client/claimsctl/command.h"
#include "client/claimsctl/reply.h"
#include "client/claimsctl/terminal.h"
#include "client/claimsctl/top_view.h"
#include "daemon/base/clock.h"

namespace claimsd::ctl {
namespace {

constexpr unsigned kShortestInterval = 100;  // milliseconds
constexpr unsigned kLongestInterval = 60'000;

double seconds_now() {
  const auto now = daemon::SystemClock().now().boot.time_since_epoch();
  return std::chrono::duration<double>(now).count();
}

std::string check_interval(const std::string& text) {
  const bool digits = !text.empty() && text.size() <= 6 &&
                      text.find_first_not_of("0123456789") == std::string::npos;
  const auto value = digits ? std::stoul(text) : 0;
  if (value >= kShortestInterval && value <= kLongestInterval) return "";
  return fmt::format("must be a number of milliseconds from {} to {}", kShortestInterval,
                     kLongestInterval);
}

class TopCommand final : public Command {
 public:
  std::vector<Option> options() override {
    return {
        {.names = "--once", .target = &once_, .help = "Print one frame and exit"},
        {.names = "--interval",
         .target = &interval_ms_,
         .help = "The refresh interval",
         .value = "MS",
         .shows_default = true,
         .check = check_interval},
    };
  }

  Exit run(const Globals& globals, Output& output) override {
    layout_.interval_seconds = interval_ms_ / 1000.0;
    // Before the screen is switched, so that an error appears on the normal screen.
    if (const auto looked = look(globals); !looked) return output.problem(looked.error());
    if (once_ || output.json() || !Terminal::available()) return print(globals, output);
    const auto ended = follow(globals, output);
    return ended ? Exit::kOkay : output.problem(ended.error());
  }

 private:
  Expected<void> look(const Globals& globals) {
    const auto statistics =
        read_reply(admin_get(globals.admin_socket, "/v1/statistics"), globals.admin_socket);
    if (!statistics) return tl::make_unexpected(statistics.error());
    model_.add(read_top_sample(statistics->root(), seconds_now()));
    return {};
  }

  Exit print(const Globals& globals, Output& output) {
    const bool once = once_ || !output.json();
    layout_.columns = 200;
    do {
      ::poll(nullptr, 0, static_cast<int>(interval_ms_));
      if (const auto looked = look(globals); !looked) return output.problem(looked.error());
      if (output.json()) {
        output.line(top_json(model_, layout_));
      } else {
        for (const auto& line : top_lines(model_, layout_, output)) output.line(line);
      }
      output.flush();
    } while (!once);
    return Exit::kOkay;
  }

  Expected<void> follow(const Globals& globals, const Output& output) {
    auto terminal = Terminal::open();
    if (!terminal) return tl::make_unexpected(terminal.error());
    double next = seconds_now() + layout_.interval_seconds;
    for (;;) {
      const auto size = terminal->size();
      layout_.columns = size.columns;
      layout_.rows = size.rows;
      terminal->draw(top_lines(model_, layout_, output));
      const double left = std::max(0.0, next - seconds_now());
      switch (terminal->wait(static_cast<int>(left * 1000) + 1)) {
        case Terminal::Event::kEnd: return {};
        case Terminal::Event::kKey:
          if (terminal->key() == 'q' || terminal->key() == 'Q') return {};
          continue;
        case Terminal::Event::kResized: continue;
        case Terminal::Event::kTime: break;
      }
      if (seconds_now() < next) continue;
      next = seconds_now() + layout_.interval_seconds;
      if (auto looked = look(globals); !looked) return looked;
    }
  }

  bool once_ = false;
  std::uint32_t interval_ms_ = 1000;
  TopLayout layout_;
  TopModel model_;
};

}  // namespace

std::unique_ptr<Command> make_top() {
  return std::make_unique<TopCommand>();
}

}  // namespace claimsd::ctl
