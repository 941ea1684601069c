// terminal.h: gives one command the whole terminal: an alternate screen, unbuffered keys, signals
// as events. The destructor restores the terminal.
//
// One per process; single-threaded. termios(3), signalfd(2), xterm control sequences (ctlseqs).
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

namespace claimsd::claimsctl {

class Terminal {
 public:
  struct Size {
    std::size_t columns = 80;
    std::size_t rows = 24;
  };
  enum class Event : std::uint8_t { kTime, kKey, kResized, kEnd };

  // True if standard output is a terminal that understands control sequences.
  static bool available();
  // Takes the terminal over.
  static Expected<Terminal> open();
  ~Terminal();
  Terminal(Terminal&& other) noexcept;
  Terminal& operator=(Terminal&&) = delete;
  Terminal(const Terminal&) = delete;
  Terminal& operator=(const Terminal&) = delete;

  Size size() const;
  // Draws the lines in one write over the previous frame. The screen is not cleared first, which
  // avoids flicker.
  void draw(const std::vector<std::string>& lines) const;
  // Waits up to `milliseconds` for a key (`key()`), a resize, or a request to end (SIGINT, SIGTERM,
  // SIGHUP, end of input).
  Event wait(int milliseconds);
  char key() const { return key_; }

 private:
  explicit Terminal(Fd signals) : signals_(std::move(signals)) {}
  Event read_signal();
  Event read_key();

  Fd signals_;
  std::optional<termios> before_;  // settings of standard input, if that is a terminal
  bool reads_keys_ = true;
  bool owns_ = true;
  char key_ = 0;
};

}  // namespace claimsd::claimsctl
