#include "daemon/fleet/bus_command.h"

#include "tests/support/catch.h"

namespace claimsd::fleet {
namespace {

std::string text_of(const BusCommand& command, std::size_t replies) {
  std::string text;
  CHECK(append_command(command, BusKeys("prod"), text) == replies);
  return text;
}

bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

TEST_CASE("the keys of a fleet share one hash tag") {
  const BusKeys keys("prod");
  CHECK(keys.log == "{claimsd:prod}:log");
  CHECK(keys.pulse == "{claimsd:prod}:pulse");
  CHECK(keys.actions == "{claimsd:prod}:actions");
  CHECK(keys.hosts == "{claimsd:prod}:hosts");
}

TEST_CASE("an item is published to the hash and to the log in one transaction") {
  const std::string text = text_of({.verb = BusVerb::kPublish, .fields = {{"id", "sealed"}}}, 4);
  CHECK(text.starts_with("*1\r\n$5\r\nMULTI\r\n"));
  CHECK(text.ends_with("*1\r\n$4\r\nEXEC\r\n"));
  CHECK(has(text, "$4\r\nHSET\r\n$22\r\n{claimsd:prod}:actions\r\n$2\r\nid\r\n$6\r\nsealed\r\n"));
  CHECK(has(text, "$4\r\nXADD\r\n$18\r\n{claimsd:prod}:log\r\n"));
}

TEST_CASE("a pulse keeps only the last pulses") {
  CHECK(has(text_of({.verb = BusVerb::kPulse, .fields = {{"", "p"}}}, 1),
            "$6\r\nMAXLEN\r\n$1\r\n=\r\n$1\r\n8\r\n$1\r\n*\r\n"));
}

TEST_CASE("a command about no fields sends nothing") {
  CHECK(text_of({.verb = BusVerb::kDropRows}, 0).empty());
  CHECK(text_of({.verb = BusVerb::kPutItems}, 0).empty());
  CHECK(text_of({.verb = BusVerb::kReadItems}, 0).empty());
}

}  // namespace
}  // namespace claimsd::fleet
