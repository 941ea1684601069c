#include "daemon/base/printable.h"

#include "tests/support/catch.h"

using namespace claimsd;

namespace {
std::string shown(std::string_view text) {
  return printable(text, 1000);
}
}  // namespace

TEST_CASE("plain text and well-formed UTF-8 are unchanged") {
  CHECK(shown("claims socket at /run/x (ok) ~") == "claims socket at /run/x (ok) ~");
  CHECK(shown("é € 😀") == "é € 😀");
}

TEST_CASE("characters that could forge a line or control a terminal are escaped") {
  CHECK(shown("a\nb") == "a\\nb");
  CHECK(shown("a\r\tb") == "a\\x0d\\x09b");
  CHECK(shown("\x1b[2J") == "\\x1b[2J");
  CHECK(shown(std::string_view("\0", 1)) == "\\x00");
  CHECK(shown("\x7f") == "\\x7f");
  CHECK(shown("\xc2\x9b") == "\\xc2\\x9b");           // CSI in one character
  CHECK(shown("\xe2\x80\xa8") == "\\xe2\\x80\\xa8");  // line separator
  CHECK(shown("\xe2\x80\xae") == "\\xe2\\x80\\xae");  // right-to-left override
}

TEST_CASE("characters that hide or reorder text are escaped") {
  CHECK(shown("a\u200bb") == "a\\xe2\\x80\\x8bb");       // zero-width space
  CHECK(shown("\u061c") == "\\xd8\\x9c");                // Arabic letter mark
  CHECK(shown("\u2067") == "\\xe2\\x81\\xa7");           // right-to-left isolate
  CHECK(shown("\u00ad") == "\\xc2\\xad");                // soft hyphen
  CHECK(shown("\ufeff") == "\\xef\\xbb\\xbf");           // byte order mark
  CHECK(shown("\u3164") == "\\xe3\\x85\\xa4");           // Hangul filler
  CHECK(shown("\U000e0041") == "\\xf3\\xa0\\x81\\x81");  // a tag
  CHECK(shown("\U0001fffe") == "\\xf0\\x9f\\xbf\\xbe");  // a noncharacter
}

TEST_CASE("invalid UTF-8 is escaped") {
  CHECK(shown("\x9b") == "\\x9b");
  CHECK(shown("\xc0\x8a") == "\\xc0\\x8a");                    // overlong line feed
  CHECK(shown("\xe0\x80\x8a") == "\\xe0\\x80\\x8a");           // the same in three bytes
  CHECK(shown("\xed\xa0\x80") == "\\xed\\xa0\\x80");           // a surrogate
  CHECK(shown("\xf4\x90\x80\x80") == "\\xf4\\x90\\x80\\x80");  // above U+10FFFF
  CHECK(shown("\xe2\x82") == "\\xe2\\x82");                    // truncated
  CHECK(shown("\xff") == "\\xff");
}

TEST_CASE("long text is truncated between characters") {
  CHECK(printable("abcdef", 6) == "abcdef");
  CHECK(printable("abcdefg", 6) == "abcdef…");
  CHECK(printable("abcde€", 6) == "abcde…");
}
