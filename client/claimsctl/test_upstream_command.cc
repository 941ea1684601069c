// claimsctl test-upstream: the daemon asks an Auth API once about a token, past its cache, and
// describes the response. For the first hour with a new provider: which claims there are, which of
// the configured ones match, and what to write instead.
#include <fmt/core.h>

#include "client/claimsctl/command.h"
#include "client/claimsctl/reply.h"
#include "client/claimsctl/token_body.h"

namespace claimsd::claimsctl {
namespace {

void show_members(const Element& document, std::string_view title, Output& output) {
  output.line("");
  output.line(output.coloured(Colour::kStrong, title));
  each_at(document, "/members", [&](const Element& member) {
    output.line(fmt::format("  {:<40} {}", text_at(member, "/at"), text_at(member, "/what")));
  });
  if (truth_at(document, "/cut")) output.line("  (further members are not shown)");
}

void show_claims(const Element& document, Output& output) {
  each_at(document, "/claims", [&](const Element& claim) {
    const bool good = truth_at(claim, "/good");
    output.line(fmt::format(
        "  {:<13} {:<34} {}", text_at(claim, "/option"), text_at(claim, "/claim"),
        output.coloured(good ? Colour::kGood : Colour::kUnsure, text_at(claim, "/found"))));
    const std::string hint = text_at(claim, "/hint");
    if (!hint.empty()) output.line("    fix: " + hint);
  });
}

void show_advice(const Element& test, Output& output) {
  const std::string cache = text_at(test, "/cache_control");
  if (cache.find("no-store") != std::string::npos || cache.find("no-cache") != std::string::npos)
    output.line("  this Auth API forbids caching (Cache-Control: " + cache +
                "): each lookup is a request");
  if (truth_at(test, "/truncated"))
    output.line("  the claims exceed max_claims_bytes: workers get id, email and roles only");
}

void show(const Element& test, Output& output) {
  const std::string verdict = text_at(test, "/verdict");
  const Colour colour = verdict == "valid"     ? Colour::kGood
                        : verdict == "invalid" ? Colour::kBad
                                               : Colour::kUnsure;
  output.line(fmt::format("{}: {}", output.coloured(colour, verdict), text_at(test, "/text")));
  output.field("upstream", text_at(test, "/upstream"));
  output.field("reason", text_at(test, "/reason"));
  if (!text_at(test, "/detail").empty()) output.field("detail", text_at(test, "/detail"));
  const std::uint64_t status = count_at(test, "/status");
  output.field("answer", status == 0 ? std::string("none")
                                     : fmt::format("status {}, {}, {}", status,
                                                   bytes_text(count_at(test, "/body_bytes")),
                                                   text_at(test, "/content_type")));
  output.field("took", duration_text(number_at(test, "/took_seconds")));
  show_advice(test, output);
  object_at(test, "/document", [&](const Element& document) {
    if (!truth_at(document, "/is_object")) {
      output.field("document", text_at(document, "/problem"));
      return;
    }
    show_members(document, "members of the document (never their values)", output);
    output.line("");
    output.line(output.coloured(Colour::kStrong, "configured claims"));
    show_claims(document, output);
  });
  object_at(test, "/token", [&](const Element& token) {
    show_claims(token, output);
    if (!truth_at(token, "/is_object")) {
      output.line("");
      output.line("the token is opaque: require_token and its expiry cannot be read from it");
      return;
    }
    show_members(token, "members of the token (for require_token)", output);
  });
}

class TestUpstreamCommand final : public Command {
 public:
  std::vector<Option> options() override {
    return {
        {.names = "name",
         .target = &upstream_,
         .help = "The upstream, as in [upstream.NAME]; without it, the default one",
         .value = "NAME",
         .check = check_upstream_name},
        {.names = "--token-file",
         .target = &token_file_,
         .help = "The file that contains the token; - is standard input",
         .value = "FILE",
         .shows_default = true},
    };
  }

  Exit run(const Globals& globals, Output& output) override {
    const auto body = token_body(token_file_);
    if (!body) return output.problem(body.error());
    const std::string path =
        "/v1/upstream-test" + (upstream_.empty() ? "" : "?upstream=" + upstream_);
    const auto tested =
        read_reply(admin_post(globals.admin_socket, path, *body), globals.admin_socket);
    if (!tested) return output.problem(tested.error());
    const Element& test = tested->root();
    if (output.json()) {
      output.line(json_text(test));
    } else {
      show(test, output);
    }
    const std::string verdict = text_at(test, "/verdict");
    if (verdict == "valid") return Exit::kOkay;
    return verdict == "invalid" ? Exit::kInvalid : Exit::kUnavailable;
  }

 private:
  std::string upstream_;
  std::string token_file_ = "-";
};

}  // namespace

std::unique_ptr<Command> make_test_upstream() {
  return std::make_unique<TestUpstreamCommand>();
}

}  // namespace claimsd::claimsctl
