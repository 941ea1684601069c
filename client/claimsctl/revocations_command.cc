// claimsctl revocations and unrevoke: lists the revocations in force, and withdraws one.
#include <fmt/core.h>

#include "client/claimsctl/command.h"
#include "client/claimsctl/everywhere.h"
#include "client/claimsctl/not_final.h"
#include "client/claimsctl/reply.h"
#include "client/claimsctl/table.h"
#include "daemon/base/secret.h"

namespace claimsd::claimsctl {
namespace {

std::string uid_text(const Element& action, std::string_view pointer) {
  return has(action, pointer) ? fmt::format("uid {}", count_at(action, pointer)) : "unknown";
}

class RevocationsCommand final : public Command {
 public:
  std::vector<Option> options() override {
    return {{.names = "--all",
             .target = &all_,
             .help = "Also list withdrawn revocations that have not ended yet"}};
  }

  bool is_long() const override { return true; }

  Exit run(const Globals& globals, Output& output) override {
    using enum Align;
    Table table({kLeft, kLeft, kLeft, kLeft, kLeft, kLeft});
    table.add({"id", "of", "made", "until", "by", "state"});
    std::size_t shown = 0;
    std::string cursor;
    do {
      const std::string path =
          "/v1/revocations?limit=500" + (cursor.empty() ? "" : "&after=" + cursor);
      const auto page = read_reply(admin_get(globals.admin_socket, path), globals.admin_socket);
      if (!page) return output.problem(page.error());
      each_at(page->root(), "/revocations", [&](const Element& action) {
        if (!all_ && has(action, "/withdrawn")) return;
        ++shown;
        show(action, table, output);
      });
      cursor = text_at(page->root(), "/next");
    } while (!cursor.empty());
    if (output.json()) return Exit::kOkay;
    for (const auto& line : table.lines()) output.line(line);
    if (shown == 0) output.line("  none");
    return Exit::kOkay;
  }

 private:
  static void show(const Element& action, Table& table, Output& output) {
    if (output.json()) {
      output.line(json_with_schema(action));
      return;
    }
    const std::string state = has(action, "/withdrawn")
                                  ? fmt::format("withdrawn {} by {}", text_at(action, "/withdrawn"),
                                                uid_text(action, "/withdrawn_by_uid"))
                              : has(action, "/author_host") ? "in force in the fleet"
                                                            : "in force";
    table.add({text_at(action, "/id"), text_at(action, "/kind"), text_at(action, "/made"),
               text_at(action, "/until"), uid_text(action, "/actor_uid"), state});
  }

  bool all_ = false;
};

std::string check_id(const std::string& text) {
  constexpr std::size_t kDigits = 32;
  const bool is_id =
      text.size() == kDigits && text.find_first_not_of("0123456789abcdef") == std::string::npos;
  return is_id ? "" : "must be the 32 hexadecimal digits that claimsctl revocations shows";
}

class UnrevokeCommand final : public Command {
 public:
  std::vector<Option> options() override {
    std::vector<Option> options{
        {.names = "id",
         .target = &id_,
         .help = "The id of the revocation, as claimsctl revocations shows it",
         .value = "ID",
         .required = true,
         .check = check_id}};
    everywhere_.add_to(options);
    return options;
  }

  Exit run(const Globals& globals, Output& output) override {
    const Secret body(std::string_view(fmt::format(R"({{"id":"{}"}})", id_)));
    const auto reply = admin_post(globals.admin_socket, everywhere_.route("/v1/unrevoke"), body,
                                  Patience::kUntilDurable);
    if (!reply) return output.problem(reply.error());
    if (reply->status != 200 && reply->status != 202)
      return output.problem(refused(*reply, globals.admin_socket));
    const auto parsed = Reply::parse(reply->body);
    if (output.json()) {
      output.line(std::string_view(reply->body).substr(0, reply->body.find('\n')));
    } else {
      output.line(
          fmt::format("{}: the revocation {}", output.coloured(Colour::kGood, "withdrawn"), id_));
      if (parsed) everywhere_.show(parsed->root(), output);
      if (parsed) show_not_final(parsed->root(), output);
    }
    return reply->status == 200 ? Exit::kOkay : Exit::kTryAgain;
  }

 private:
  Everywhere everywhere_;
  std::string id_;
};

}  // namespace

std::unique_ptr<Command> make_revocations() {
  return std::make_unique<RevocationsCommand>();
}

std::unique_ptr<Command> make_unrevoke() {
  return std::make_unique<UnrevokeCommand>();
}

}  // namespace claimsd::claimsctl
