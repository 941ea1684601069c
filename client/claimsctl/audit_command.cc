// claimsctl audit: search, report on and verify the audit log. Asks the running daemon; a log that
// no daemon writes to, such as a copy on another machine, is read from its files.
#include <fmt/core.h>

#include <chrono>
#include <thread>

#include "client/claimsctl/audit_export.h"
#include "client/claimsctl/audit_live.h"
#include "client/claimsctl/audit_query.h"
#include "client/claimsctl/audit_report.h"
#include "client/claimsctl/audit_verify.h"
#include "client/claimsctl/command.h"
#include "daemon/base/clock.h"
#include "daemon/base/json_writer.h"

namespace claimsd::ctl {
namespace {

using daemon::AuditRecord;

// How often --follow polls for new records.
constexpr std::chrono::milliseconds kFollowInterval{250};

daemon::WallTime now() {
  return daemon::SystemClock().now().wall;
}

std::string coloured_line(const AuditRecord& record, const Output& output) {
  std::string line = daemon::audit_line(record);
  using proto::Verdict;
  if (record.event == daemon::AuditEvent::kGap) return output.coloured(Colour::kBad, line);
  if (static_cast<Verdict>(record.verdict) == Verdict::kUnavailable) {
    return output.coloured(Colour::kUnsure, line);
  }
  return line;
}

class AuditCommand final : public Command {
 public:
  void add_options(CLI::App& app) override {
    app.require_subcommand(1);
    tail_ = add(app, "tail", "The last records");
    tail_->add_option("-n,--lines", lines_, "How many")->type_name("N")->capture_default_str();
    tail_->add_flag("-f,--follow", follow_, "Go on with what the running daemon writes")
        ->disable_flag_override();
    options_.add_directory(*tail_);
    search_ = add(app, "search", "Records of a user, token, peer, event or time");
    report_ = add(app, "report", "A page: refusals by reason, user, peer and hour");
    verify_ = add(app, "verify", "Did anyone touch the log? Follows its chain and its anchors");
    export_ = add(app, "export", "All or some records for another program");
    stat_ = add(app, "stat", "How large the log is and how far it reaches");
    for (CLI::App* const sub : {search_, report_, verify_, export_, stat_}) {
      options_of(sub).add_directory(*sub);
    }
    for (CLI::App* const sub : {search_, report_, export_}) options_of(sub).add_query(*sub);
    search_->add_option("--limit", limit_, "At most so many; 0: all")->type_name("N");
    export_->add_option("--format", format_, "jsonl, ecs, ocsf or csv")
        ->check(CLI::Validator(
            [](const std::string& name) {
              return audit_format_named(name) != nullptr
                         ? ""
                         : std::string("must be jsonl, ecs, ocsf or csv");
            },
            ""))
        ->type_name("jsonl|ecs|ocsf|csv")
        ->capture_default_str();
    verify_
        ->add_option("--anchors", verify_words_.anchors_file,
                     "Anchors kept elsewhere: a file, or the journal's text")
        ->type_name("FILE");
    verify_
        ->add_option("--root-key", verify_words_.root_key,
                     "The first anchor key, as it was written down, in hexadecimal")
        ->type_name("HEX");
  }

  bool is_long() const override { return !follow_; }

  Exit run(const Globals& globals, Output& output) override {
    live_ = LiveAudit(globals.admin_socket);
    if (verify_->parsed()) {
      verify_words_.directory = options_of(verify_).directory();
      return audit_verify(verify_words_, live_, output);
    }
    if (tail_->parsed()) return tail(output);
    if (stat_->parsed()) return stat(output);
    if (report_->parsed()) return report(output);
    if (export_->parsed()) return export_all(output);
    return search(output);
  }

 private:
  static CLI::App* add(CLI::App& app, const char* name, const char* help) {
    CLI::App* const sub = app.add_subcommand(name, help);
    sub->fallthrough()->group("Commands")->set_help_flag("-h,--help", "Print this");
    return sub;
  }

  AuditQueryOptions& options_of(const CLI::App* sub) {
    if (sub == search_) return search_options_;
    if (sub == report_) return report_options_;
    if (sub == export_) return export_options_;
    return sub == verify_ ? verify_options_ : sub == stat_ ? stat_options_ : options_;
  }

  static void show(const AuditRecord& record, Output& output) {
    output.line(output.json() ? audit_json(record) : coloured_line(record, output));
  }

  // Visits every record that the options of `sub` select.
  Exit each(CLI::App* sub, Output& output, const daemon::AuditVisit& visit) {
    const auto query = options_of(sub).query(now());
    if (!query) return output.problem(query.error());
    if (options_of(sub).is_live()) {
      const auto next = live_.search(*query, visit);
      return next ? Exit::kOkay : output.problem(next.error());
    }
    const auto reader = options_of(sub).open_reader();
    if (!reader) return output.problem(reader.error());
    const auto done = reader->search(*query, visit);
    if (!done) return output.problem(audit_problem(done.error()));
    return Exit::kOkay;
  }

  Exit search(Output& output) {
    std::uint64_t left = limit_ == 0 ? UINT64_MAX : limit_;
    return each(search_, output, [&](const AuditRecord& record) {
      show(record, output);
      return --left > 0;
    });
  }

  Exit report(Output& output) {
    AuditReport report;
    const Exit exit = each(report_, output, [&](const AuditRecord& record) {
      report.add(record);
      return true;
    });
    if (exit != Exit::kOkay) return exit;
    output.json() ? report.show_json(output) : report.show(output);
    return exit;
  }

  Exit export_all(Output& output) {
    const AuditFormat& format = *audit_format_named(format_);
    if (!format.header.empty()) output.line(format.header);
    return each(export_, output, [&](const AuditRecord& record) {
      output.line(format.line(record));
      return true;
    });
  }

  Exit tail_live(Output& output) {
    const auto last = live_.last();
    if (!last) return output.problem(last.error());
    daemon::AuditQuery query;
    query.first = *last >= lines_ ? *last - lines_ + 1 : 1;
    for (;;) {
      const auto next = live_.search(query, [&](const AuditRecord& record) {
        show(record, output);
        return true;
      });
      if (!next) return output.problem(next.error());
      if (!follow_) return Exit::kOkay;
      query.first = *next;
      std::fflush(stdout);
      std::this_thread::sleep_for(kFollowInterval);
    }
  }

  Exit tail(Output& output) {
    if (options_.is_live()) return tail_live(output);
    if (follow_) {
      return output.problem({Exit::kUsage, "nothing_to_follow",
                             fmt::format("no daemon writes to {}", printable(options_.directory())),
                             "leave out --follow, or name the running daemon's directory"});
    }
    const auto reader = options_.open_reader();
    if (!reader) return output.problem(reader.error());
    const auto first = reader->start_of_last(lines_);
    if (!first) return output.problem(audit_problem(first.error()));
    daemon::AuditQuery query;
    query.first = *first;
    const auto done = reader->search(query, [&](const AuditRecord& record) {
      show(record, output);
      return true;
    });
    return done ? Exit::kOkay : output.problem(audit_problem(done.error()));
  }

  Exit stat_live(Output& output) {
    const auto last = live_.last();
    if (!last) return output.problem(last.error());
    if (output.json()) {
      daemon::JsonWriter json;
      json.begin_object().member("schema", kOutputSchema).member("last", *last);
      output.line(json.end_object().text());
    } else {
      output.field("records", fmt::format("up to sequence {}, of the running daemon", *last));
    }
    return Exit::kOkay;
  }

  Exit stat(Output& output) {
    if (options_of(stat_).is_live()) return stat_live(output);
    const auto reader = options_of(stat_).open_reader();
    if (!reader) return output.problem(reader.error());
    const auto view = daemon::AuditSegmentView::open(reader->segments().back().path);
    if (!view) return output.problem(audit_problem(view.error()));
    std::uint64_t bytes = 0;
    for (const auto& segment : reader->segments()) bytes += segment.bytes;
    const auto& head = view->head();
    const auto first = reader->segments().front().first;
    if (output.json()) {
      daemon::JsonWriter json;
      json.begin_object().member("schema", kOutputSchema);
      json.member("origin", view->identity().origin).member("first", first);
      json.member("last", head.sequence).member("events", head.events);
      json.member("dropped", head.dropped).member("bytes", bytes);
      json.member("segments", reader->segments().size());
      output.line(json.end_object().text());
      return Exit::kOkay;
    }
    output.field("origin", printable(view->identity().origin));
    output.field("records",
                 fmt::format("{}, sequence {} to {}", count_text(head.sequence + 1 - first), first,
                             head.sequence));
    output.field("events", fmt::format("{} since the log was begun", count_text(head.events)));
    output.field("dropped", head.dropped == 0
                                ? "nothing"
                                : fmt::format("by retention, up to sequence {}", head.dropped));
    output.field(
        "size", fmt::format("{} segments, {} bytes", reader->segments().size(), count_text(bytes)));
    return Exit::kOkay;
  }

  AuditQueryOptions options_, search_options_, report_options_, export_options_, verify_options_,
      stat_options_;
  LiveAudit live_{""};
  bool follow_ = false;
  AuditVerifyWords verify_words_;
  CLI::App *tail_ = nullptr, *search_ = nullptr, *report_ = nullptr, *verify_ = nullptr,
           *export_ = nullptr, *stat_ = nullptr;
  std::uint64_t lines_ = 20;
  std::uint64_t limit_ = 0;
  std::string format_ = "jsonl";
};

}  // namespace

std::unique_ptr<Command> make_audit() {
  return std::make_unique<AuditCommand>();
}

}  // namespace claimsd::ctl
