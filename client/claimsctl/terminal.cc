#include "client/claimsctl/terminal.h"

#include <poll.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <system_error>
#include <utility>

namespace claimsd::ctl {
namespace {

// Alternate screen, hidden cursor, no wrapping; and the reverse.
constexpr std::string_view kEnter = "\x1b[?1049h\x1b[?25l\x1b[?7l\x1b[2J";
constexpr std::string_view kLeave = "\x1b[?7h\x1b[?25h\x1b[?1049l";
// Synchronized output (mode 2026): supporting terminals show a frame at once, others ignore it.
constexpr std::string_view kBegin = "\x1b[?2026h\x1b[H";
constexpr std::string_view kEnd = "\x1b[J\x1b[?2026l";

void write_all(std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = ::write(STDOUT_FILENO, text.data(), text.size());
    if (written < 0 && errno != EINTR) return;
    if (written > 0) text.remove_prefix(static_cast<std::size_t>(written));
  }
}

sigset_t watched_signals() {
  sigset_t set;
  sigemptyset(&set);
  for (const int number : {SIGINT, SIGTERM, SIGHUP, SIGWINCH}) sigaddset(&set, number);
  return set;
}

}  // namespace

bool Terminal::available() {
  const char* const name = std::getenv("TERM");
  return ::isatty(STDOUT_FILENO) == 1 && name != nullptr && std::string_view(name) != "dumb";
}

Expected<Terminal> Terminal::open() {
  const sigset_t set = watched_signals();
  ::sigprocmask(SIG_BLOCK, &set, nullptr);
  daemon::Fd signals(::signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK));
  if (!signals) {
    return tl::make_unexpected(
        Problem{Exit::kUnavailable, "no_resources",
                "cannot receive signals: " + std::generic_category().message(errno), ""});
  }
  Terminal terminal(std::move(signals));
  termios settings{};
  if (::tcgetattr(STDIN_FILENO, &settings) == 0) {
    terminal.before_ = settings;
    settings.c_lflag &= ~static_cast<tcflag_t>(ICANON | ECHO);
    settings.c_cc[VSUSP] = _POSIX_VDISABLE;  // a suspended process would leave its screen behind
    settings.c_cc[VMIN] = 1;
    settings.c_cc[VTIME] = 0;
    ::tcsetattr(STDIN_FILENO, TCSANOW, &settings);
  } else {
    terminal.reads_keys_ = false;
  }
  write_all(kEnter);
  return terminal;
}

Terminal::Terminal(Terminal&& other) noexcept
    : signals_(std::move(other.signals_)),
      before_(other.before_),
      reads_keys_(other.reads_keys_),
      owns_(std::exchange(other.owns_, false)) {}

Terminal::~Terminal() {
  if (!owns_) return;
  write_all(kLeave);
  if (before_) ::tcsetattr(STDIN_FILENO, TCSANOW, &*before_);
}

Terminal::Size Terminal::size() const {
  winsize size{};
  if (::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0 || size.ws_row == 0)
    return {};
  return {.columns = size.ws_col, .rows = size.ws_row};
}

void Terminal::draw(const std::vector<std::string>& lines) const {
  std::string frame(kBegin);
  for (std::size_t at = 0; at < lines.size(); ++at) {
    if (at > 0) frame += "\r\n";
    frame += lines[at];
    frame += "\x1b[0m\x1b[K";
  }
  frame += kEnd;
  write_all(frame);
}

Terminal::Event Terminal::wait(int milliseconds) {
  pollfd watched[] = {{.fd = signals_.get(), .events = POLLIN, .revents = 0},
                      {.fd = reads_keys_ ? STDIN_FILENO : -1, .events = POLLIN, .revents = 0}};
  if (::poll(watched, 2, milliseconds) <= 0) return Event::kTime;
  if (watched[0].revents != 0) return read_signal();
  return read_key();
}

Terminal::Event Terminal::read_signal() {
  signalfd_siginfo info{};
  if (::read(signals_.get(), &info, sizeof info) != static_cast<ssize_t>(sizeof info))
    return Event::kTime;
  return info.ssi_signo == SIGWINCH ? Event::kResized : Event::kEnd;
}

Terminal::Event Terminal::read_key() {
  const ssize_t got = ::read(STDIN_FILENO, &key_, 1);
  return got == 1 ? Event::kKey : Event::kEnd;
}

}  // namespace claimsd::ctl
