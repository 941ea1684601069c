// doc_tables NAME: prints a table of the code as Markdown, for the documents that repeat it. Used
// by doc_tables.py.
#include <cstdio>
#include <map>
#include <string>

#include "daemon/admin/metrics.h"
#include "daemon/audit/events.h"
#include "daemon/config/options.h"
#include "daemon/config/renamed_options.h"
#include "daemon/log/log_events.h"
#include "proto/messages.h"

namespace {

using claimsd::proto::name_of;
using claimsd::proto::verdict_of;

std::string reasons() {
  std::string out = "| code | reason | verdict | what it says |\n|---|---|---|---|\n";
#define CLAIMSD_ROW(identifier, code, name, verdict, sentence)                  \
  out += "| " #code " | `" name "` | " +                                        \
         std::string(name_of(verdict_of(claimsd::proto::Reason::identifier))) + \
         " | " sentence " |\n";
  CLAIMSD_REASONS(CLAIMSD_ROW)
#undef CLAIMSD_ROW
  return out;
}

std::string failures() {
  std::string out = "| code | what it says |\n|---|---|\n";
#define CLAIMSD_ROW(identifier, code, sentence) out += "| " #code " | " sentence " |\n";
  CLAIMSD_FAILURES(CLAIMSD_ROW)
#undef CLAIMSD_ROW
  return out;
}

std::string messages() {
  std::string out = "| type | message | from | fields |\n|---|---|---|---|\n";
  const std::map<std::string, std::string> integers = {{"std::uint8_t", "u8"},
                                                       {"std::uint16_t", "u16"},
                                                       {"std::uint32_t", "u32"},
                                                       {"std::uint64_t", "u64"}};
  const std::map<std::string, std::string> strings = {{"std::uint16_t", "text"},
                                                      {"std::uint32_t", "blob"}};
  std::string fields;
  const auto add = [&fields](const std::string& field) {
    fields += (fields.empty() ? "" : ", ") + field;
  };
#define CLAIMSD_INTEGER(Integer, name) add(integers.at(#Integer) + " " #name);
#define CLAIMSD_STRING(Length, name, limit) \
  add(strings.at(#Length) + " " #name " (" + std::to_string(claimsd::proto::limit) + ")");
#define CLAIMSD_ROW(Struct, code, sender)                                                          \
  fields.clear();                                                                                  \
  CLAIMSD_FIELDS_##Struct(CLAIMSD_INTEGER, CLAIMSD_STRING) out +=                                  \
      std::string("| " #code " | " #Struct " | ") +                                                \
      (claimsd::proto::Struct::kSender == claimsd::proto::Sender::kClient ? "client" : "daemon") + \
      " | " + fields + " |\n";
  CLAIMSD_MESSAGES(CLAIMSD_ROW)
#undef CLAIMSD_ROW
#undef CLAIMSD_STRING
#undef CLAIMSD_INTEGER
  return out;
}

std::string metrics() {
  std::string out = "| metric | type | labels | what it says |\n|---|---|---|---|\n";
  for (const claimsd::admin::Metric& metric : claimsd::admin::metrics()) {
    out += "| `" + std::string(metric.name) + "` | " + std::string(name_of(metric.type)) + " | " +
           std::string(metric.labels) + " | " + std::string(metric.help) + " |\n";
  }
  return out;
}

std::string log_events() {
  std::string out = "| event | level | meaning |\n|---|---|---|\n";
  for (const auto& event : claimsd::kLogEvents) {
    out += "| `" + std::string(event.id) + "` | " + std::string(event.level) + " | " +
           std::string(event.meaning) + (event.rate_limited ? " *(rate-limited)*" : "") + " |\n";
  }
  return out;
}

std::string audit_events() {
  std::string out =
      "| code | event | level | what it says | OWASP | OCSF |\n|---|---|---|---|---|---|\n";
  for (const auto& event : claimsd::audit::kAuditEvents) {
    out += "| " + std::to_string(static_cast<int>(event.event)) + " | `" + std::string(event.name) +
           "` | " + std::string(name_of(event.level)) + " | " + std::string(event.meaning) + " | " +
           (event.owasp.empty() ? "" : "`" + std::string(event.owasp) + "`") + " | " +
           std::to_string(event.ocsf_class) + " |\n";
  }
  return out;
}

std::string limits() {
  namespace proto = claimsd::proto;
  const std::pair<const char*, std::size_t> rows[] = {
      {"a token (see `max_token_bytes`)", proto::kMaxToken},
      {"a frame's payload", proto::kMaxPayload},
      {"claims kept as raw JSON (see `max_claims_bytes`)", proto::kMaxRawClaims},
      {"an id", proto::kMaxId},
      {"an email", proto::kMaxEmail},
      {"a role", proto::kMaxRole},
      {"all roles of a user", proto::kMaxRoleBytes},
      {"roles of a user (count)", proto::kMaxRoles},
      {"a client address", proto::kMaxAddress},
      {"a trace id", proto::kMaxTraceId},
      {"a route", proto::kMaxRoute},
      {"a method", proto::kMaxMethod},
      {"what a permission asked for", proto::kMaxRequired},
      {"queries open on one connection (count)", proto::kMaxOpenQueries},
  };
  std::string out = "| what | bytes |\n|---|---|\n";
  for (const auto& [what, size] : rows)
    out += std::string("| ") + what + " | " + std::to_string(size) + " |\n";
  return out;
}

}  // namespace

int main(int argc, char** argv) {
  const std::map<std::string, std::string (*)()> tables = {
      {"reasons", reasons},
      {"failures", failures},
      {"messages", messages},
      {"limits", limits},
      {"metrics", metrics},
      {"log_events", log_events},
      {"audit_events", audit_events},
      {"options", claimsd::config::options_markdown},
      {"renamed_options", claimsd::config::renamed_markdown}};
  const auto table = tables.find(argc == 2 ? argv[1] : "");
  if (table == tables.end()) {
    std::fputs("usage: doc_tables TABLE\nThe tables are:", stderr);
    for (const auto& [name, make] : tables) std::fprintf(stderr, " %s", name.c_str());
    std::fputs("\n", stderr);
    return 2;
  }
  std::fputs(table->second().c_str(), stdout);
  return 0;
}
