// printable.h: makes untrusted text safe for a log line or a terminal. Pure; any thread.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace claimsd {

struct Character {
  std::size_t size;  // in bytes; 0: not UTF-8
  char32_t code;
};

// The first character of `text`, which is not empty. Well-formed sequences only (Unicode Standard,
// table 3-7): no overlong ones, no surrogates.
Character first_character(std::string_view text);

// False for a character that breaks a line, controls a terminal, reorders or hides text, or cannot
// be seen: the categories Cc, Zl, Zp and Cf, default-ignorable code points (Unicode 15,
// DerivedCoreProperties.txt), fillers and noncharacters.
bool is_visible(char32_t code);

// Returns `text` with characters that are not visible, and invalid UTF-8, escaped as \n or \xNN, so
// that no text can forge a line or control a terminal, and different texts look different. Text
// longer than `limit` bytes is truncated and ends in "…".
std::string printable(std::string_view text, std::size_t limit);

}  // namespace claimsd
