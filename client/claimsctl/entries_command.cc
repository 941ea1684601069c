// claimsctl entries: lists the cache. Shows no token, and of the claims only the user id: an
// operator does not need the rest.
#include <fmt/core.h>

#include "client/claimsctl/entries.h"
#include "client/claimsctl/table.h"

namespace claimsd::claimsctl {
namespace {

constexpr std::size_t kRowsOfTable = 200;  // rows buffered to align their columns

class EntriesCommand final : public Command {
 public:
  std::vector<Option> options() override {
    return {
        {.names = "--user",
         .target = &user_,
         .help = "Only entries of the user with this id",
         .value = "ID"},
        {.names = "--limit",
         .target = &limit_,
         .help = "The maximum number of entries; 0: all",
         .value = "N",
         .shows_default = true,
         .check = check_count},
    };
  }

  bool is_long() const override { return true; }

  Exit run(const Globals& globals, Output& output) override {
    std::size_t shown = 0;
    bool cut = false;
    Table table = new_table(true);
    std::size_t waiting = 0;
    const auto done = each_entry(globals, user_, [&](const Element& entry) {
      if (limit_ > 0 && shown == limit_) {
        cut = true;
        return false;
      }
      ++shown;
      if (output.json()) {
        output.line(json_with_schema(entry));
        return true;
      }
      table.add({text_at(entry, "/entry"), text_at(entry, "/user"), state_text(entry, output),
                 length_text(entry, "/age_seconds"), length_text(entry, "/ttl_seconds"),
                 length_text(entry, "/lease_remaining_seconds")});
      if (++waiting == kRowsOfTable) {
        print(table, output);
        table = new_table(false);
        waiting = 0;
      }
      return true;
    });
    if (!done) return output.problem(done.error());
    if (output.json()) return Exit::kOkay;
    print(table, output);
    if (shown == 0) output.line("  none");
    if (cut) output.line(fmt::format("  and more; show all with --limit 0"));
    return Exit::kOkay;
  }

 private:
  static Table new_table(bool heads) {
    using enum Align;
    Table table({kLeft, kLeft, kLeft, kRight, kRight, kRight});
    if (heads) table.add({"entry", "user", "state", "age", "TTL", "lease"});
    return table;
  }
  static void print(const Table& table, Output& output) {
    for (const auto& line : table.lines()) output.line(line);
  }

  std::string user_;
  std::size_t limit_ = 100;
};

}  // namespace

std::unique_ptr<Command> make_entries() {
  return std::make_unique<EntriesCommand>();
}

}  // namespace claimsd::claimsctl
