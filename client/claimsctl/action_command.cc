// claimsctl purge and revoke: sends the order to the daemon's admin API and prints the result. A
// token is read from standard input or a file, never from the command line.
#include <fmt/core.h>

#include <algorithm>

#include "client/claimsctl/action_report.h"
#include "client/claimsctl/admin_client.h"
#include "client/claimsctl/command.h"
#include "client/claimsctl/confirm.h"
#include "client/claimsctl/everywhere.h"
#include "client/claimsctl/not_final.h"
#include "client/claimsctl/reply.h"
#include "client/claimsctl/token_body.h"
#include "daemon/base/json_writer.h"
#include "daemon/base/parse_integer.h"

namespace claimsd::claimsctl {
namespace {

constexpr std::int64_t kLongest =
    std::int64_t{3650} * 24 * 3600;  // about the longest period that the daemon accepts

// "90s", "15m", "24h" or "7d" in seconds; 0 if malformed.
std::int64_t read_length(std::string_view text) {
  if (text.size() < 2) return 0;
  std::int64_t unit = 0;
  switch (text.back()) {
    case 's': unit = 1; break;
    case 'm': unit = 60; break;
    case 'h': unit = 3600; break;
    case 'd': unit = 24 * 3600; break;
    default: return 0;
  }
  const auto count = parse_integer<std::int64_t>(std::string_view(text).substr(0, text.size() - 1));
  return count && *count >= 1 && *count <= kLongest / unit ? *count * unit : 0;
}

std::string check_length(const std::string& text) {
  return read_length(text) > 0 ? "" : "must be a duration such as 90s, 15m, 24h or 7d";
}

class ActionCommand final : public Command {
 public:
  explicit ActionCommand(bool revoke) : revoke_(revoke) {}

  std::vector<Option> options() override {
    std::vector<Option> options{
        {.names = "--token-file",
         .target = &token_file_,
         .help = "The file that contains the token; - is standard input",
         .value = "FILE",
         .shows_default = true,
         .excludes = {"--user", "--all"}},
        {.names = "--user",
         .target = &user_,
         .help = "All tokens of the user with this id",
         .value = "ID",
         .excludes = {"--all"}},
        {.names = "--all", .target = &all_, .help = "All tokens of all users"},
        {.names = "--upstream",
         .target = &upstream_,
         .help = "With --user: only tokens of the Auth API with this name",
         .value = "NAME",
         .needs = "--user"},
    };
    everywhere_.add_to(options);
    if (!revoke_) return options;
    options.push_back(
        {.names = "--for",
         .target = &length_,
         .help =
             "How long to reject tokens without an expiry or issue time, and for --lock; 24h by "
             "default",
         .value = "TIME",
         .check = check_length});
    options.push_back({.names = "--lock",
                       .target = &lock_,
                       .help = "With --user: also reject tokens issued from now on",
                       .needs = "--user"});
    options.push_back({.names = "--yes",
                       .target = &yes_,
                       .help = "With --all: do not ask for confirmation",
                       .needs = "--all"});
    return options;
  }

  Exit run(const Globals& globals, Output& output) override {
    if (revoke_ && all_ && !yes_) {
      const auto confirmed = confirm(
          "This ends the sessions of all users on this host, and on all hosts of its fleet: "
          "all must log in again");
      if (!confirmed) return output.problem(confirmed.error());
    }
    const auto body = make_body();
    if (!body) return output.problem(body.error());
    const auto reply =
        admin_post(globals.admin_socket, everywhere_.route(revoke_ ? "/v1/revoke" : "/v1/purge"),
                   *body, Patience::kUntilDurable);
    if (!reply) return output.problem(reply.error());
    const auto parsed = Reply::parse(reply->body);
    if ((reply->status != 200 && reply->status != 202) || !parsed)
      return output.problem(refused(*reply, globals.admin_socket));
    ActionReport report = report_on(
        globals, {.revoke = revoke_, .all = all_, .user = user_, .lock = lock_}, parsed->root());
    for (std::string& fact : not_final(parsed->root())) report.warnings.push_back(std::move(fact));
    if (output.json()) {
      show_json(parsed->root(), report, output);
    } else {
      show(parsed->root(), report, output);
    }
    return reply->status == 200 ? Exit::kOkay : Exit::kTryAgain;
  }

 private:
  Expected<Secret> make_body() const {
    const std::int64_t length = length_.empty() ? 0 : read_length(length_);
    if (!all_ && user_.empty()) return token_body(token_file_, length);
    JsonWriter json;
    json.begin_object();
    if (all_) json.member("all_users", true);
    if (!user_.empty()) json.member("user", user_);
    if (!upstream_.empty()) json.member("upstream", upstream_);
    if (length > 0) json.member("for_seconds", length);
    if (lock_) json.member("lock", true);
    return Secret(json.end_object().text());
  }

  // The daemon's reply, with what was found out since.
  static void show_json(const Element& reply, const ActionReport& report, Output& output) {
    JsonWriter more;
    more.begin_object();
    more.key("matched");
    if (report.matched) {
      more.value(*report.matched);
    } else {
      more.null();
    }
    more.key("warnings").begin_array();
    for (const std::string& warning : report.warnings) more.value(warning);
    more.end_array().end_object();
    std::string text = json_text(reply);
    text.back() = ',';
    output.line(text + more.text().substr(1));
  }

  void show(const Element& reply, const ActionReport& report, Output& output) const {
    const char* const whom = all_            ? "all tokens of all users"
                             : user_.empty() ? "the token"
                             : lock_         ? "all tokens of the user, including new ones"
                                             : "all tokens of the user";
    output.line(fmt::format("{}: {}",
                            output.coloured(Colour::kGood, revoke_ ? "revoked" : "purged"), whom));
    const std::string until = text_at(reply, "/until");
    if (!until.empty()) output.field("until", until);
    const std::string id = text_at(reply, "/id");
    if (revoke_ && !id.empty()) output.field("id", id + "; undo with claimsctl unrevoke");
    if (report.matched)
      output.field("matched", count_text(*report.matched) +
                                  (*report.matched == 1 ? " cached token" : " cached tokens"));
    everywhere_.show(reply, output);
    for (const std::string& warning : report.warnings) output.field("warning", warning);
  }

  bool revoke_;
  Everywhere everywhere_;
  std::string token_file_ = "-";
  std::string user_;
  std::string upstream_;
  std::string length_;
  bool all_ = false;
  bool lock_ = false;
  bool yes_ = false;
};

}  // namespace

std::unique_ptr<Command> make_purge() {
  return std::make_unique<ActionCommand>(false);
}

std::unique_ptr<Command> make_revoke() {
  return std::make_unique<ActionCommand>(true);
}

}  // namespace claimsd::claimsctl
