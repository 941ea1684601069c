// claimsctl show: what the daemon knows about one token or about a user's tokens.
//
// It deliberately cannot print the email or other claims: the users are clinical staff, and the
// admin socket is for operators. The holder of a token can read its claims with `claimsctl query`,
// as a worker does.
#include <fmt/core.h>

#include "client/claimsctl/entries.h"
#include "client/claimsctl/token_body.h"

namespace claimsd::claimsctl {
namespace {

std::string moment_text(const Element& entry, std::string_view pointer) {
  const auto text = text_at(entry, pointer);
  return text.empty() ? "not stated in the token" : text;
}

void show_entry(const Element& entry, Output& output) {
  output.field("state", state_text(entry, output));
  output.field("user", text_at(entry, "/user"));
  output.field("entry", text_at(entry, "/entry"));
  output.field("age", length_text(entry, "/age_seconds") + " since the Auth API confirmed it");
  output.field("TTL", length_text(entry, "/ttl_seconds"));
  const auto lease = length_text(entry, "/lease_remaining_seconds");
  output.field("lease", lease == "-" ? "none: workers query the daemon"
                                     : lease + ": workers answer from shared memory");
  output.field("issued", moment_text(entry, "/token_issued"));
  output.field("expires", moment_text(entry, "/token_expires"));
  if (truth_at(entry, "/truncated"))
    output.field("flags", "truncated: its claims are too large to be cached in full");
}

void show_finding(const Element& finding, Output& output) {
  output.line(output.coloured(Colour::kStrong, "at " + text_at(finding, "/upstream")));
  if (truth_at(finding, "/revoked"))
    output.field("revoked", output.coloured(Colour::kBad, "by an operator: the token is invalid"));
  const bool entry =
      object_at(finding, "/entry", [&](const Element& part) { show_entry(part, output); });
  const bool refusal = object_at(finding, "/rejection", [&](const Element& part) {
    output.field(
        "rejected",
        fmt::format("{} ago ({}); negative entry, TTL {}", length_text(part, "/age_seconds"),
                    text_at(part, "/reason"), length_text(part, "/ttl_seconds")));
  });
  if (truth_at(finding, "/in_flight")) output.field("request", "in flight to the Auth API");
  const bool known = entry || refusal || truth_at(finding, "/revoked");
  if (!known) output.field("state", "unknown: the next query asks the Auth API");
}

class ShowCommand final : public Command {
 public:
  std::vector<Option> options() override {
    return {
        {.names = "--token-file",
         .target = &token_file_,
         .help = "The file that contains the token; - is standard input",
         .value = "FILE",
         .shows_default = true},
        {.names = "--user",
         .target = &user_,
         .help = "All tokens of the user with this id",
         .value = "ID",
         .excludes = {"--token-file"}},
    };
  }

  bool is_long() const override { return true; }

  Exit run(const Globals& globals, Output& output) override {
    return user_.empty() ? show_token(globals, output) : show_user(globals, output);
  }

 private:
  Exit show_token(const Globals& globals, Output& output) const {
    const auto body = token_body(token_file_);
    if (!body) return output.problem(body.error());
    const auto found =
        read_reply(admin_post(globals.admin_socket, "/v1/entry", *body), globals.admin_socket);
    if (!found) return output.problem(found.error());
    if (output.json()) {
      output.line(json_text(found->root()));
    } else {
      each_at(found->root(), "/upstreams",
              [&](const Element& finding) { show_finding(finding, output); });
    }
    return Exit::kOkay;
  }

  Exit show_user(const Globals& globals, Output& output) const {
    std::size_t shown = 0;
    const auto done = each_entry(globals, user_, [&](const Element& entry) {
      if (output.json()) {
        output.line(json_with_schema(entry));
      } else {
        if (shown > 0) output.line("");
        show_entry(entry, output);
      }
      ++shown;
      return true;
    });
    if (!done) return output.problem(done.error());
    if (shown == 0 && !output.json())
      output.line("no token of this user is cached: the next query asks the Auth API");
    return Exit::kOkay;
  }

  std::string token_file_ = "-";
  std::string user_;
};

}  // namespace

std::unique_ptr<Command> make_show() {
  return std::make_unique<ShowCommand>();
}

}  // namespace claimsd::claimsctl
