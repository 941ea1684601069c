// claimsctl query: looks up one token through libclaimsd, exactly as a worker does.
#include <fmt/core.h>

#include "client/claimsctl/lookup.h"
#include "client/claimsctl/reply.h"
#include "client/claimsctl/token_input.h"
#include "daemon/base/json_writer.h"

namespace claimsd::claimsctl {
namespace {

std::string_view verdict_text(const Answer& answer) {
  if (answer.valid()) return "valid";
  return answer.invalid() ? "invalid" : "unavailable";
}

Colour verdict_colour(const Answer& answer) {
  if (answer.valid()) return Colour::kGood;
  return answer.invalid() ? Colour::kBad : Colour::kUnsure;
}

std::string_view source_text(const Answer& answer) {
  return claimsd_source_text(static_cast<claimsd_source>(answer.source()));
}

std::string age_text(Milliseconds time) {
  return duration_text(std::chrono::duration<double>(time).count());
}

std::string roles_text(const Claims& claims) {
  std::string text;
  for (const auto role : claims.roles()) {
    if (!text.empty()) text += ", ";
    text += printable(role);
  }
  return text.empty() ? "none" : text;
}

void show(const Answer& answer, const Globals& globals, Output& output) {
  const auto verdict = output.coloured(verdict_colour(answer), verdict_text(answer));
  output.line(fmt::format("{}: {}", verdict, printable(answer.text())));
  if (answer.valid()) {
    const auto claims = answer.claims();
    output.field("id", printable(claims.id()));
    output.field("email", claims.email().empty() ? "none" : printable(claims.email()));
    output.field("roles", roles_text(claims));
    if (claims.truncated())
      output.field("claims",
                   "truncated to id, email and roles: raise max_claims_bytes of the upstream");
    output.field("age", age_text(answer.age()) + " since the Auth API confirmed it");
    output.field("TTL", age_text(answer.ttl()));
  } else {
    output.field("reason", printable(answer.reason()));
  }
  output.field("source", source_text(answer));
  if (answer.unavailable()) output.field("socket", printable(globals.socket));
  if (answer.retry_after().count() != 0) {
    output.field("try again", "in " + age_text(answer.retry_after()));
  }
}

void write_claims(JsonWriter& json, const Claims& claims) {
  json.member("id", claims.id()).member("email", claims.email()).key("roles").begin_array();
  for (const auto role : claims.roles()) json.value(role);
  json.end_array().key("claims").raw(on_one_line(claims.json()));
}

void show_json(const Answer& answer, Output& output) {
  JsonWriter json;
  json.begin_object()
      .member("schema", kOutputSchema)
      .member("verdict", verdict_text(answer))
      .member("reason", answer.reason())
      .member("text", answer.text())
      .member("source", source_text(answer))
      .member("age_ms", answer.age().count())
      .member("ttl_ms", answer.ttl().count())
      .member("retry_after_ms", answer.retry_after().count());
  json.member("truncated", answer.valid() && answer.claims().truncated());
  if (answer.valid()) {
    write_claims(json, answer.claims());
  } else {
    json.key("claims").null();
  }
  output.line(json.end_object().text());
}

class QueryCommand final : public Command {
 public:
  std::vector<Option> options() override {
    return {
        {.names = "--token-file",
         .target = &token_file_,
         .help = "The file that contains the token; - is standard input",
         .value = "FILE",
         .shows_default = true},
        {.names = "--upstream",
         .target = &upstream_,
         .help = "The URL of the Auth API; must be one of the daemon's upstreams",
         .value = "URL"},
        {.names = "--timeout",
         .target = &timeout_ms_,
         .help = "How long to wait for the answer; 0: the default",
         .value = "MS",
         .check = check_milliseconds},
        {.names = "--max-age",
         .target = &max_age_ms_,
         .help = "The maximum age of the confirmation; 0: ask the Auth API now; any by default",
         .value = "MS",
         .check = check_milliseconds},
    };
  }

  Exit run(const Globals& globals, Output& output) override {
    const auto token = read_token(token_file_);
    if (!token) return output.problem(token.error());
    const auto client = make_client(globals, upstream_);
    if (!client) return output.problem(client.error());
    const auto answer = client->query(token->view(), {.timeout = Milliseconds(timeout_ms_),
                                                      .max_age = Milliseconds(max_age_ms_)});
    if (output.json()) {
      show_json(answer, output);
    } else {
      show(answer, globals, output);
    }
    return exit_of(answer);
  }

 private:
  std::string token_file_ = "-";
  std::string upstream_;
  std::uint32_t timeout_ms_ = 0;
  std::uint32_t max_age_ms_ = CLAIMSD_ANY_AGE;
};

}  // namespace

std::unique_ptr<Command> make_query() {
  return std::make_unique<QueryCommand>();
}

}  // namespace claimsd::claimsctl
