#include "client/claimsctl/audit_verify.h"

#include <fmt/core.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>

#include "client/claimsctl/audit_query.h"
#include "daemon/audit/search.h"
#include "daemon/audit/verify_live.h"
#include "daemon/base/json_writer.h"

namespace claimsd::ctl {
namespace {

using daemon::AuditVerification;

std::optional<std::string> text_of_file(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in) return std::nullopt;
  return std::string(std::istreambuf_iterator<char>(in), {});
}

void show(const AuditVerification& done, const std::optional<daemon::AuditAnchors>& anchors,
          Output& output) {
  if (done.finding) {
    output.line(fmt::format(
        "the audit log was {}: {} at sequence {}", output.coloured(Colour::kBad, "modified"),
        output.coloured(Colour::kStrong, name_of(done.finding->kind)), done.finding->at));
    output.line("  " + printable(done.finding->sentence));
  } else {
    output.line("the audit log is " + output.coloured(Colour::kGood, "intact"));
  }
  output.field("verified",
               fmt::format("{} records, sequence {} to {}, for {} events", count_text(done.records),
                           done.first, done.last, count_text(done.events)));
  if (anchors) {
    output.field("anchors",
                 fmt::format("{} match, the last at sequence {}", done.anchors, done.anchored));
    output.field("first key", anchors->root.empty() ? "none" : anchors->root);
  }
  for (const std::string& note : done.notes) output.field("note", printable(note));
  if (done.finding) return;
  for (const std::string& open : done.cannot_tell) {
    output.field("undetectable", output.coloured(Colour::kUnsure, open));
  }
}

void show_json(const AuditVerification& done, const std::optional<daemon::AuditAnchors>& anchors,
               Output& output) {
  daemon::JsonWriter json;
  json.begin_object().member("schema", kOutputSchema).member("whole", !done.finding);
  if (done.finding) {
    json.key("finding").begin_object().member("kind", name_of(done.finding->kind));
    json.member("sequence", done.finding->at).member("text", done.finding->sentence).end_object();
  }
  json.member("first", done.first).member("last", done.last).member("records", done.records);
  json.member("events", done.events).member("anchors", done.anchors);
  json.member("anchored", done.anchored);
  if (anchors) json.member("root_key", anchors->root);
  json.key("notes").begin_array();
  for (const std::string& note : done.notes) json.value(note);
  json.end_array().key("cannot_tell").begin_array();
  for (const std::string& open : done.cannot_tell) json.value(open);
  output.line(json.end_array().end_object().text());
}

// True if the daemon that answers is the one that writes to this directory.
bool writes_to(const LiveAudit& live, const std::string& directory) {
  const auto said = live.directory();
  std::error_code failed;
  return said && std::filesystem::equivalent(*said, directory, failed) && !failed;
}

// Reads closed segments from their files and the open segment from the daemon.
daemon::Result<AuditVerification> verify_live(const daemon::AuditVerifyOptions& options,
                                              const LiveAudit& live) {
  auto hasher = TRY(daemon::AuditHasher::create());
  const auto anchors = options.anchors.value_or(daemon::AuditAnchors{});
  // Before listing the files, so that a segment closed after this call is among them.
  const auto end = live.end();
  if (!end) return daemon::failure(end.error().message);
  std::optional<daemon::AuditContinuation> rest;
  if (TRY(daemon::list_segments(options.directory)).size() > 1) {
    AuditVerification closed = TRY(daemon::verify_audit_apart(options));
    if (closed.finding) return closed;
    rest.emplace(std::move(hasher), anchors, std::move(closed));
  } else {
    rest.emplace(std::move(hasher), anchors, end->newest);
  }
  const auto read = live.rows(rest->next(), end->last, [&](const daemon::AuditPage::Row& row) {
    return rest->take(row.record, row.link);
  });
  if (!read) return daemon::failure(read.error().message);
  return std::move(*rest).end(end->last);
}

}  // namespace

Exit audit_verify(const AuditVerifyWords& words, const LiveAudit& live, Output& output) {
  daemon::AuditVerifyOptions options;
  options.directory = words.directory;
  options.without_newest = daemon::audit_directory_is_live(words.directory);
  const bool named = !words.anchors_file.empty();
  const auto text = text_of_file(named ? words.anchors_file : words.directory + "/anchors");
  if (named && !text) {
    return output.problem(
        {Exit::kUnavailable, "no_anchors",
         fmt::format("cannot read the anchors {}", words.anchors_file),
         "name a readable file that contains the anchors or the text of the journal"});
  }
  const std::optional<std::string> root =
      words.root_key.empty() ? std::nullopt : std::optional(words.root_key);
  if (text) options.anchors = daemon::read_anchors(*text, root);
  const bool watched = !output.json() && ::isatty(STDERR_FILENO) == 1;
  if (watched) {
    options.progress = [](daemon::AuditSequence last, double share) {
      fmt::print(stderr, "\r  {:3.0f} %  sequence {}", share * 100, last);
    };
  }
  const bool asks = options.without_newest && writes_to(live, words.directory);
  const auto done = asks ? verify_live(options, live) : daemon::verify_audit_apart(options);
  if (watched) fmt::print(stderr, "\r\x1b[K");
  if (!done) return output.problem(audit_problem(done.error()));
  output.json() ? show_json(*done, options.anchors, output) : show(*done, options.anchors, output);
  if (options.without_newest && !asks && !output.json()) {
    output.field("note",
                 "the newest segment was not verified: a daemon is writing to it, and that daemon "
                 "does not answer on --admin-socket");
  }
  return done->finding ? Exit::kInvalid : Exit::kOkay;
}

}  // namespace claimsd::ctl
