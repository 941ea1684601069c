#include "client/claimsctl/everywhere.h"

#include <fmt/core.h>

#include <charconv>

namespace claimsd::claimsctl {
namespace {

constexpr int kMaxSeconds = 30;  // of the daemon
constexpr std::size_t kMaxNamed = 20;

// "5s" in seconds; 0 if malformed.
int read_seconds(std::string_view text) {
  if (!text.ends_with('s')) return 0;
  text.remove_suffix(1);
  int count = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), count);
  const bool whole = error == std::errc() && end == text.data() + text.size();
  return whole && count >= 1 && count <= kMaxSeconds ? count : 0;
}

std::string check_seconds(const std::string& text) {
  return read_seconds(text) > 0 ? "" : "must be a number of seconds from 1s to 30s";
}

}  // namespace

void Everywhere::add_to(std::vector<Option>& options) {
  options.push_back({.names = "--everywhere",
                     .target = &wanted_,
                     .help =
                         "Wait until it is in effect on all hosts of the fleet; exit 75 and name "
                         "the missing hosts if that takes too long"});
  options.push_back({.names = "--timeout",
                     .target = &timeout_,
                     .help = "With --everywhere: how long to wait, up to 30s",
                     .value = "TIME",
                     .shows_default = true,
                     .check = check_seconds,
                     .needs = "--everywhere"});
}

std::string Everywhere::route(std::string_view path) const {
  if (!wanted_) return std::string(path);
  return fmt::format("{}?everywhere={}", path, read_seconds(timeout_));
}

void Everywhere::show(const Element& reply, Output& output) const {
  if (!has(reply, "/everywhere")) return;
  output.field("everywhere", fmt::format("in effect on {} of {} hosts",
                                         count_text(count_at(reply, "/everywhere/acknowledged")),
                                         count_text(count_at(reply, "/everywhere/hosts"))));
  std::string names;
  std::size_t missing = 0;
  each_at(reply, "/everywhere/missing", [&](const Element& name) {
    if (++missing > kMaxNamed) return;
    names += (names.empty() ? "" : ", ") + text_at(name, "");
  });
  if (missing > kMaxNamed) names += fmt::format(" and {} more", missing - kMaxNamed);
  if (missing > 0) output.field("missing", names + "; see claimsctl fleet");
  if (!truth_at(reply, "/everywhere/knows_all_hosts"))
    output.field("warning",
                 "not confirmed: this host is not current in its fleet, or a host that has just "
                 "joined may lack the order until it is connected; see claimsctl fleet");
}

}  // namespace claimsd::claimsctl
