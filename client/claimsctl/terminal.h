// terminal.h: a terminal that one command has to itself: a screen of its own, keys as they are
// pressed, signals as events. However the command ends, the terminal is then as it was.
//
// One per process; one thread. termios(3), signalfd(2); xterm's control sequences (ctlseqs).
#pragma once

#include <sys/types.h>
#include <termios.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "client/claimsctl/problem.h"
#include "daemon/base/fd.h"

namespace claimsd::ctl {

class Terminal {
 public:
  struct Size {
    std::size_t columns = 80;
    std::size_t rows = 24;
  };
  enum class Event : std::uint8_t { kTime, kKey, kResized, kEnd };

  // Is standard output a terminal that understands control sequences?
  static bool available();
  // Takes it over.
  static Expected<Terminal> open();
  ~Terminal();
  Terminal(Terminal&& other) noexcept;
  Terminal& operator=(Terminal&&) = delete;
  Terminal(const Terminal&) = delete;
  Terminal& operator=(const Terminal&) = delete;

  Size size() const;
  // Puts these lines on the screen in one write, over what is there: nothing is cleared first, so
  // nothing flickers.
  void draw(const std::vector<std::string>& lines) const;
  // What comes first: a key (`key()`), another size, a wish to end (SIGINT, SIGTERM, SIGHUP, end of
  // input), or `milliseconds` over.
  Event wait(int milliseconds);
  char key() const { return key_; }

 private:
  explicit Terminal(daemon::Fd signals) : signals_(std::move(signals)) {}
  Event read_signal();
  Event read_key();

  daemon::Fd signals_;
  std::optional<termios> before_;  // of standard input, where that is a terminal
  bool reads_keys_ = true;
  bool owns_ = true;
  char key_ = 0;
};

}  // namespace claimsd::ctl
