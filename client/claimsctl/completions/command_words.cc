// command_words: prints claimsctl's command line as JSON: every command with its options, the exit
// statuses, and the doctor's checks. completions.py makes the completions from it, and
// tests/docs/doc_tables.py the tables of the manual.
#include <CLI/CLI.hpp>
#include <cstdio>

#include "client/claimsctl/command_line.h"
#include "client/claimsctl/doctor/checks.h"
#include "daemon/base/json_writer.h"

namespace {

using claimsd::daemon::JsonWriter;

void write(JsonWriter& json, const CLI::Option& option) {
  json.begin_object().key("names").begin_array();
  for (const auto& name : option.get_snames()) json.value("-" + name);
  for (const auto& name : option.get_lnames()) json.value("--" + name);
  json.end_array()
      .member("value", option.get_items_expected_max() == 0 ? "" : option.get_type_name())
      .member("default", option.get_items_expected_max() == 0 ? "" : option.get_default_str())
      .member("environment", option.get_envname())
      .member("help", option.get_description())
      .end_object();
}

void write(JsonWriter& json, const CLI::App& app, std::string_view synopsis) {
  json.begin_object()
      .member("name", app.get_name())
      .member("synopsis", synopsis)
      .member("help", app.get_description())
      .key("options")
      .begin_array();
  for (const CLI::Option* option : app.get_options()) write(json, *option);
  json.end_array().key("commands").begin_array();
  for (const CLI::App* sub : app.get_subcommands({})) {
    std::string_view follows = "[OPTIONS]";
    for (const auto& row : claimsd::ctl::commands()) {
      if (row.name == sub->get_name()) follows = row.synopsis;
    }
    write(json, *sub, follows);
  }
  json.end_array().end_object();
}

}  // namespace

int main() {
  claimsd::ctl::CommandLine line;
  JsonWriter json;
  json.begin_object().key("claimsctl");
  write(json, line.app(), "[OPTIONS] COMMAND");
  json.key("exits").begin_array();
  claimsd::ctl::each_exit([&](int status, std::string_view meaning) {
    json.begin_object().member("status", status).member("meaning", meaning).end_object();
  });
  json.end_array().key("checks").begin_array();
  for (const auto& check : claimsd::ctl::doctor::checks()) {
    json.begin_object().member("title", check.title).member("looks", check.looks).end_object();
  }
  json.end_array().end_object();
  std::puts(json.text().c_str());
  return 0;
}
