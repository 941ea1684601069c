// claimsctl doctor: checks everything on this host that an answer depends on and suggests fixes.
// Works with and without a running daemon.
#include <fmt/core.h>

#include <algorithm>
#include <map>
#include <vector>

#include "client/claimsctl/command.h"
#include "client/claimsctl/doctor/checks.h"
#include "client/claimsctl/doctor/gather.h"
#include "daemon/base/json_writer.h"

namespace claimsd::claimsctl {
namespace {

using doctor::State;
using Tally = std::map<State, std::size_t>;

std::string mark(State state, const Output& output) {
  switch (state) {
    case State::kOk: return output.coloured(Colour::kGood, "ok       ");
    case State::kUnchecked: return output.coloured(Colour::kFaint, "unchecked");
    case State::kWarning: return output.coloured(Colour::kUnsure, "warning  ");
    case State::kFailed: return output.coloured(Colour::kBad, "FAILED   ");
  }
  return "";
}

void show(const doctor::Check& check, const doctor::Finding& finding, Output& output) {
  output.line(fmt::format("{}  {:<18} {}", mark(finding.state, output), check.title,
                          printable(finding.says)));
  if (!finding.fix.empty()) output.line(fmt::format("{:30}fix: {}", "", printable(finding.fix)));
}

struct Row {
  const doctor::Check* check;
  doctor::Finding finding;
};

// What is wrong comes first.
void show(std::vector<Row> rows, Output& output) {
  std::stable_sort(rows.begin(), rows.end(), [](const Row& one, const Row& other) {
    return one.finding.state > other.finding.state;
  });
  for (const Row& row : rows) show(*row.check, row.finding, output);
}

std::string summary(Tally& tally) {
  std::string text = fmt::format("{} ok", tally[State::kOk]);
  const auto add = [&](State state, std::string_view what) {
    if (tally[state] > 0) text += fmt::format(", {} {}", tally[state], what);
  };
  add(State::kFailed, "failed");
  add(State::kWarning, tally[State::kWarning] == 1 ? "warning" : "warnings");
  add(State::kUnchecked, "unchecked");
  return text;
}

void write(JsonWriter& json, const doctor::Check& check, const doctor::Finding& finding) {
  json.begin_object()
      .member("check", check.name)
      .member("state", name_of(finding.state))
      .member("says", finding.says)
      .member("fix", finding.fix)
      .end_object();
}

// Unchecked counts as a failure, because the fault may be there.
Exit exit_of(Tally& tally) {
  if (tally[State::kFailed] > 0) return Exit::kUnavailable;
  return tally[State::kUnchecked] > 0 ? Exit::kNoPermission : Exit::kOkay;
}

class DoctorCommand final : public Command {
 public:
  std::vector<Option> options() override {
    return {
        {.names = "--config",
         .target = &wanted_.config_file,
         .help = "The configuration file; by default the running daemon's, else "
                 "/etc/claimsd/claimsd.toml",
         .value = "FILE"},
        {.names = "--worker",
         .target = &wanted_.workers,
         .help = "Check that this user may query; repeatable",
         .value = "USER"},
    };
  }

  bool is_long() const override { return true; }

  Exit run(const Globals& globals, Output& output) override {
    const doctor::Facts facts = gather(globals, wanted_);
    Tally tally;
    std::vector<Row> rows;
    std::string unseen;  // checks that were skipped for lack of a configuration
    JsonWriter json;
    json.begin_object().member("schema", kOutputSchema).key("findings").begin_array();
    for (const auto& check : doctor::checks()) {
      const bool skipped = !facts.configured && check.needs == doctor::Needs::kConfiguration;
      if (skipped) unseen += fmt::format("{}{}", unseen.empty() ? "" : ", ", check.title);
      for (const auto& finding : judge(check, facts)) {
        ++tally[finding.state];
        if (output.json()) {
          write(json, check, finding);
        } else if (!skipped) {
          rows.push_back({&check, finding});
        }
      }
    }
    if (output.json()) {
      json.end_array().member("healthy", exit_of(tally) == Exit::kOkay);
      output.line(json.end_object().text());
    } else {
      show(std::move(rows), output);
      if (!unseen.empty())
        output.line(fmt::format("unchecked without a valid configuration: {}", unseen));
      output.line(summary(tally));
    }
    return exit_of(tally);
  }

 private:
  doctor::Wanted wanted_;
};

}  // namespace

std::unique_ptr<Command> make_doctor() {
  return std::make_unique<DoctorCommand>();
}

}  // namespace claimsd::claimsctl
