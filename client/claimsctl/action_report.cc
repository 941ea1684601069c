#include "client/claimsctl/action_report.h"

#include <fmt/core.h>

#include "client/claimsctl/entries.h"

namespace claimsd::claimsctl {
namespace {

constexpr std::uint64_t kMaxExamined = 50'000;  // cached entries; more would take seconds

struct Examined {
  std::uint64_t matched = 0;
  std::uint64_t newer = 0;  // issued after the revocation, by the clock of their issuer
  std::string latest;       // the latest time at which one was issued
  bool all = true;          // false: there are more entries than were examined
};

// Times are RFC 3339 in UTC with the same precision, so they compare as text.
Examined examine(const Globals& globals, const std::string& user, const std::string& made) {
  Examined found;
  std::uint64_t examined = 0;
  const auto done = each_entry(globals, user, [&](const Element& entry) {
    ++found.matched;
    const std::string issued = text_at(entry, "/token_issued");
    if (issued > made) ++found.newer;
    if (issued > found.latest) found.latest = issued;
    found.all = ++examined < kMaxExamined;
    return found.all;
  });
  if (!done) found.all = false;
  return found;
}

std::string clock_warning(const Examined& found, const std::string& made, const Ordered& ordered) {
  return fmt::format(
      "{} cached tokens stay valid: they were issued until {}, but this host's clock was {} at the "
      "revocation. Correct the clock, then revoke again{}",
      found.newer, found.latest, made, ordered.all ? "" : ", or use --lock now");
}

}  // namespace

ActionReport report_on(const Globals& globals, const Ordered& ordered, const Element& reply) {
  ActionReport report;
  if (truth_at(reply, "/other_spellings"))
    report.warnings.emplace_back("another spelling of this token may exist; use --user");
  if (!ordered.all && ordered.user.empty()) {
    if (has(reply, "/known") && !truth_at(reply, "/known"))
      report.warnings.emplace_back(
          "claimsd had not seen this token: check that it is the right one");
    return report;
  }
  if (!ordered.revoke) return report;
  const std::string made = text_at(reply, "/made");
  const Examined found = examine(globals, ordered.user, made);
  if (found.all || found.matched > 0) report.matched = found.matched;
  if (found.newer > 0 && !ordered.lock)
    report.warnings.push_back(clock_warning(found, made, ordered));
  if (found.all && found.matched == 0 && !ordered.all)
    report.warnings.emplace_back(
        "no cached token belongs to this user: check that this is the id claim as the Auth API "
        "returns it, not the email");
  return report;
}

}  // namespace claimsd::claimsctl
