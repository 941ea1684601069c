#include "client/claimsctl/audit_export.h"

#include <fmt/core.h>

#include <chrono>

#include "client/claimsctl/output.h"
#include "daemon/base/hex.h"
#include "daemon/base/json_writer.h"
#include "daemon/base/printable.h"

namespace claimsd::claimsctl {
namespace {

using audit::EventRow;
using audit::Record;
using proto::Verdict;

std::string token_text(const Record& record) {
  if (!record.token) return "";
  return hex_text(*record.token);
}

std::string_view verdict_text(const Record& record) {
  return record.verdict == 0 ? "" : proto::name_of(static_cast<Verdict>(record.verdict));
}

std::string_view reason_text(const Record& record) {
  return record.verdict == 0 ? "" : proto::name_of(record.reason);
}

std::string_view owasp_text(const Record& record) {
  const EventRow* const row = audit::row_of(record.event);
  return row == nullptr ? "" : row->owasp;
}

bool failed(const Record& record) {
  return record.event == audit::Event::kDenied || record.event == audit::Event::kUnauthenticated ||
         static_cast<Verdict>(record.verdict) == Verdict::kInvalid;
}

bool succeeded(const Record& record) {
  return static_cast<Verdict>(record.verdict) == Verdict::kValid;
}

bool is_authentication(const Record& record) {
  const EventRow* const row = audit::row_of(record.event);
  return row != nullptr && (row->ocsf_class == 3002 || row->ocsf_class == 3003);
}

std::int64_t unix_ms(WallTime time) {
  return std::chrono::floor<std::chrono::milliseconds>(time.time_since_epoch()).count();
}

void member_unless_empty(JsonWriter& json, std::string_view name, std::string_view text) {
  if (!text.empty()) json.member(name, text);
}

void peer_members(JsonWriter& json, const Record& record) {
  json.member("uid", record.peer.uid).member("gid", record.peer.gid);
  json.member("pid", record.peer.pid);
  member_unless_empty(json, "comm", record.peer.comm);
}

std::string ecs_line(const Record& record) {
  JsonWriter json;
  json.begin_object().member("@timestamp", audit::audit_time_text(record.at.wall));
  json.key("ecs").begin_object().member("version", "8.11.0").end_object();
  json.key("event").begin_object();
  json.member("kind", "event").member("action", name_of(record.event));
  json.member("provider", "claimsd").member("sequence", record.sequence);
  json.key("category").begin_array();
  json.value(is_authentication(record) ? "authentication" : "configuration").end_array();
  json.key("type").begin_array().value(failed(record) ? "denied" : "info").end_array();
  json.member("outcome", failed(record) ? "failure" : succeeded(record) ? "success" : "unknown");
  member_unless_empty(json, "reason", reason_text(record));
  if (record.duration.count() != 0) json.member("duration", record.duration.count());
  json.member("end", audit::audit_time_text(record.last)).end_object();
  if (!record.user.empty()) json.key("user").begin_object().member("id", record.user).end_object();
  json.key("process").begin_object().member("pid", record.peer.pid);
  member_unless_empty(json, "name", record.peer.comm);
  json.key("user").begin_object().member("id", fmt::format("{}", record.peer.uid)).end_object();
  json.end_object();
  if (!record.method.empty() || !record.route.empty()) {
    json.key("http").begin_object().key("request").begin_object();
    json.member("method", record.method).end_object().end_object();
    json.key("url").begin_object().member("path", record.route).end_object();
  }
  json.key("claimsd").begin_object().member("count", record.count);
  member_unless_empty(json, "token", token_text(record));
  member_unless_empty(json, "verdict", verdict_text(record));
  member_unless_empty(json, "upstream", record.upstream);
  member_unless_empty(json, "roles", record.roles);
  member_unless_empty(json, "detail", record.detail);
  if (record.status != 0) json.member("status", record.status);
  return json.end_object().end_object().take();
}

std::string ocsf_line(const Record& record) {
  const EventRow* const row = audit::row_of(record.event);
  const std::uint32_t class_uid = row == nullptr ? 0 : row->ocsf_class;
  const std::uint32_t activity = row == nullptr ? 0 : row->ocsf_activity;
  JsonWriter json;
  json.begin_object().member("class_uid", class_uid).member("category_uid", class_uid / 1000);
  json.member("activity_id", activity).member("type_uid", class_uid * 100 + activity);
  json.member("time", unix_ms(record.at.wall)).member("count", record.count);
  json.member("start_time", unix_ms(record.at.wall)).member("end_time", unix_ms(record.last));
  json.member("severity_id", failed(record) ? 3 : 1);
  json.member("status_id", failed(record) ? 2 : succeeded(record) ? 1 : 0);
  member_unless_empty(json, "status_detail", reason_text(record));
  member_unless_empty(json, "message", row == nullptr ? "" : row->meaning);
  json.key("metadata").begin_object().member("version", "1.3.0");
  json.member("sequence", record.sequence).member("event_code", name_of(record.event));
  json.key("product").begin_object().member("name", "claimsd").member("vendor_name", "claimsd");
  json.end_object().end_object();
  json.key("user").begin_object().member("uid", record.user).end_object();
  json.key("actor").begin_object().key("process").begin_object().member("pid", record.peer.pid);
  json.member("name", record.peer.comm).key("user").begin_object();
  json.member("uid", fmt::format("{}", record.peer.uid)).end_object().end_object().end_object();
  if (!record.route.empty()) {
    json.key("http_request").begin_object().member("http_method", record.method);
    json.key("url").begin_object().member("path", record.route).end_object().end_object();
  }
  json.key("unmapped").begin_object();
  member_unless_empty(json, "token", token_text(record));
  member_unless_empty(json, "verdict", verdict_text(record));
  member_unless_empty(json, "upstream", record.upstream);
  member_unless_empty(json, "roles", record.roles);
  member_unless_empty(json, "detail", record.detail);
  return json.end_object().end_object().take();
}

// Spreadsheets run a cell that begins like a formula (OWASP, "CSV Injection"), also with the
// full-width and small forms of its characters, behind spaces, and behind what printable() replaces.
bool begins_a_formula(std::string_view text) {
  constexpr std::u32string_view kSkipped = U" \u00a0\u3000";
  constexpr std::u32string_view kFirst = U"=+-@\uff1d\uff0b\uff0d\uff20\ufe66\ufe62\ufe63\ufe6b";
  while (!text.empty()) {
    const auto [size, code] = first_character(text);
    const bool visible = size != 0 && is_visible(code);
    if (visible && kSkipped.find(code) == std::u32string_view::npos)
      return kFirst.find(code) != std::u32string_view::npos;
    text.remove_prefix(size == 0 ? 1 : size);
  }
  return false;
}

std::string cell(std::string_view text) {
  std::string out = "\"";
  if (begins_a_formula(text)) out += '\'';
  for (const char c : printable(text)) {
    if (c == '"') out += '"';
    out += c;
  }
  return out + '"';
}

std::string csv_line(const Record& record) {
  return fmt::format(
      "{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{}", record.sequence,
      audit::audit_time_text(record.at.wall), audit::audit_time_text(record.last), record.count,
      name_of(record.event), owasp_text(record), verdict_text(record), reason_text(record),
      proto::name_of(record.source), record.status, record.duration.count(), token_text(record),
      cell(record.user), record.peer.uid, record.peer.gid, record.peer.pid, cell(record.peer.comm),
      cell(record.upstream), cell(record.method), cell(record.route), cell(record.roles),
      cell(record.detail));
}

constexpr AuditFormat kFormats[] = {
    {"jsonl", audit_json, ""},
    {"ecs", ecs_line, ""},
    {"ocsf", ocsf_line, ""},
    {"csv", csv_line,
     "sequence,time,last,count,event,owasp,verdict,reason,source,status,duration_ns,token,user,uid,"
     "gid,pid,comm,upstream,method,route,roles,detail"},
};

}  // namespace

std::string audit_json(const Record& record) {
  JsonWriter json;
  json.begin_object().member("schema", kOutputSchema).member("sequence", record.sequence);
  json.member("time", audit::audit_time_text(record.at.wall));
  json.member("last", audit::audit_time_text(record.last)).member("count", record.count);
  json.member("boot_ns", record.at.boot.time_since_epoch().count());
  json.member("event", name_of(record.event));
  member_unless_empty(json, "owasp", owasp_text(record));
  member_unless_empty(json, "verdict", verdict_text(record));
  member_unless_empty(json, "reason", reason_text(record));
  member_unless_empty(json, "source",
                      record.source == proto::Source::kNone ? "" : proto::name_of(record.source));
  if (record.status != 0) json.member("status", record.status);
  if (record.duration.count() != 0) json.member("duration_ns", record.duration.count());
  member_unless_empty(json, "token", token_text(record));
  member_unless_empty(json, "user", record.user);
  json.key("peer").begin_object();
  peer_members(json, record);
  json.end_object();
  member_unless_empty(json, "upstream", record.upstream);
  member_unless_empty(json, "method", record.method);
  member_unless_empty(json, "route", record.route);
  member_unless_empty(json, "roles", record.roles);
  member_unless_empty(json, "detail", record.detail);
  if (record.various) json.member("various", true);
  if (record.cut) json.member("cut", true);
  return json.end_object().take();
}

const AuditFormat* audit_format_named(std::string_view name) {
  for (const AuditFormat& format : kFormats) {
    if (format.name == name) return &format;
  }
  return nullptr;
}

}  // namespace claimsd::claimsctl
