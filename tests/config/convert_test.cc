#include "daemon/config/convert.h"

#include "daemon/config/quantity.h"
#include "tests/support/catch.h"

using namespace claimsd;
using namespace claimsd::config;

TEST_CASE("a duration is a whole number with a unit") {
  CHECK(parse_duration("500ms") == 500);
  CHECK(parse_duration("5s") == 5000);
  CHECK(parse_duration("2m") == 120'000);
  CHECK(parse_duration("1h") == 3'600'000);
  CHECK(parse_duration("999999999h") == 999'999'999LL * 3'600'000);
  for (const auto* text : {"", "5", "s", "5 s", " 5s", "5s ", "1.5s", "-5s", "+5s", "5S", "5sec",
                           "5s5", "9999999999s", "0x5s"}) {
    INFO(text);
    CHECK_FALSE(parse_duration(text));
  }
}

TEST_CASE("a size is bytes or a number of binary units") {
  CHECK(parse_size("262144") == 262144);
  CHECK(parse_size("64KiB") == 65536);
  CHECK(parse_size("64MiB") == 67108864);
  CHECK(parse_size("2GiB") == 2147483648);
  CHECK_FALSE(parse_size("64MB"));
  CHECK_FALSE(parse_size("64mib"));
  CHECK_FALSE(parse_size("MiB"));
}

TEST_CASE("permission bits are four octal digits") {
  CHECK(parse_mode("0660") == 0660);
  CHECK_FALSE(parse_mode("660"));
  CHECK_FALSE(parse_mode("0680"));
  CHECK_FALSE(parse_mode("1660"));
  CHECK_FALSE(parse_mode("0-60"));
  CHECK_FALSE(parse_mode("00660"));
}

TEST_CASE("quantities are formatted in their largest exact unit") {
  CHECK(format_duration(0) == "0s");
  CHECK(format_duration(1500) == "1500ms");
  CHECK(format_duration(90'000) == "90s");
  CHECK(format_duration(300'000) == "5m");
  CHECK(format_size(0) == "0");
  CHECK(format_size(65'537) == "65537");
  CHECK(format_size(67'108'864) == "64MiB");
}
