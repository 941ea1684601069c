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

namespace claimsd::claimsctl {
namespace {

using audit::Record;

// How often --follow polls for new records.
constexpr std::chrono::milliseconds kFollowInterval{250};

WallTime now() {
  return SystemClock().now().wall;
}

std::string coloured_line(const Record& record, const Output& output) {
  std::string line = audit::audit_line(record);
  using proto::Verdict;
  if (record.event == audit::Event::kGap) return output.coloured(Colour::kBad, line);
  if (static_cast<Verdict>(record.verdict) == Verdict::kUnavailable) {
    return output.coloured(Colour::kUnsure, line);
  }
  return line;
}

std::string check_format(const std::string& name) {
  return audit_format_named(name) != nullptr ? "" : "must be jsonl, ecs, ocsf or csv";
}

class AuditCommand final : public Command {
 public:
  std::vector<Subcommand> subcommands() override {
    return {
        {"tail", "Print the last records", tail_options(), &tail_.chosen},
        {"search", "Search records by user, token, peer, event or time", search_options(),
         &search_.chosen},
        {"report", "Summarize rejections, denials and outages by reason, user, peer and hour",
         report_.options.all_options(), &report_.chosen},
        {"verify", "Check the log for modifications by its hash chain and its anchors",
         verify_options(), &verify_.chosen},
        {"export", "Export records in a format for other programs", export_options(),
         &export_.chosen},
        {"stat",
         "Show the size and the range of the log",
         {stat_.options.directory_option()},
         &stat_.chosen},
    };
  }

  bool is_long() const override { return !follow_; }

  Exit run(const Globals& globals, Output& output) override {
    live_ = LiveAudit(globals.admin_socket);
    if (verify_.chosen) {
      verify_words_.directory = verify_.options.directory();
      return audit_verify(verify_words_, live_, output);
    }
    if (tail_.chosen) return tail(output);
    if (stat_.chosen) return stat(output);
    if (report_.chosen) return report(output);
    if (export_.chosen) return export_all(output);
    return search(output);
  }

 private:
  // A subcommand, and which records it is about.
  struct Part {
    bool chosen = false;
    AuditFilterOptions options;
  };

  std::vector<Option> tail_options() {
    return {
        {.names = "-n,--lines",
         .target = &lines_,
         .help = "The number of records",
         .value = "N",
         .shows_default = true},
        {.names = "-f,--follow",
         .target = &follow_,
         .help = "Keep printing new records of the running daemon"},
        tail_.options.directory_option(),
    };
  }

  std::vector<Option> search_options() {
    std::vector<Option> options = search_.options.all_options();
    options.push_back({.names = "--limit",
                       .target = &limit_,
                       .help = "The maximum number of records; 0: all",
                       .value = "N"});
    return options;
  }

  std::vector<Option> verify_options() {
    return {
        verify_.options.directory_option(),
        {.names = "--anchors",
         .target = &verify_words_.anchors_file,
         .help = "Anchors saved elsewhere: a file, or the text of the journal",
         .value = "FILE"},
        {.names = "--root-key",
         .target = &verify_words_.root_key,
         .help = "The first anchor key, as saved when the log was created, in hexadecimal",
         .value = "HEX"},
    };
  }

  std::vector<Option> export_options() {
    std::vector<Option> options = export_.options.all_options();
    options.push_back({.names = "--format",
                       .target = &format_,
                       .help = "The output format",
                       .value = "jsonl|ecs|ocsf|csv",
                       .shows_default = true,
                       .check = check_format});
    return options;
  }

  static void show(const Record& record, Output& output) {
    output.line(output.json() ? audit_json(record) : coloured_line(record, output));
  }

  // Visits every record that the options of `part` select.
  Exit each(const Part& part, Output& output, const audit::Visit& visit) {
    const auto query = part.options.query(now());
    if (!query) return output.problem(query.error());
    if (part.options.is_live()) {
      const auto next = live_.search(*query, visit);
      return next ? Exit::kOkay : output.problem(next.error());
    }
    const auto reader = part.options.open_reader();
    if (!reader) return output.problem(reader.error());
    const auto done = reader->search(*query, visit);
    if (!done) return output.problem(audit_problem(done.error()));
    return Exit::kOkay;
  }

  Exit search(Output& output) {
    std::uint64_t left = limit_ == 0 ? UINT64_MAX : limit_;
    return each(search_, output, [&](const Record& record) {
      show(record, output);
      return --left > 0;
    });
  }

  Exit report(Output& output) {
    AuditReport report;
    const Exit exit = each(report_, output, [&](const Record& record) {
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
    return each(export_, output, [&](const Record& record) {
      output.line(format.line(record));
      return true;
    });
  }

  Exit tail_live(Output& output) {
    const auto last = live_.last();
    if (!last) return output.problem(last.error());
    audit::SearchFilter query;
    query.first = *last >= lines_ ? *last - lines_ + 1 : 1;
    for (;;) {
      const auto next = live_.search(query, [&](const Record& record) {
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
    if (tail_.options.is_live()) return tail_live(output);
    if (follow_) {
      return output.problem(
          {Exit::kUsage, "nothing_to_follow",
           fmt::format("no daemon writes to {}", printable(tail_.options.directory())),
           "omit --follow, or name the running daemon's directory"});
    }
    const auto reader = tail_.options.open_reader();
    if (!reader) return output.problem(reader.error());
    const auto first = reader->start_of_last(lines_);
    if (!first) return output.problem(audit_problem(first.error()));
    audit::SearchFilter query;
    query.first = *first;
    const auto done = reader->search(query, [&](const Record& record) {
      show(record, output);
      return true;
    });
    return done ? Exit::kOkay : output.problem(audit_problem(done.error()));
  }

  Exit stat_live(Output& output) {
    const auto last = live_.last();
    if (!last) return output.problem(last.error());
    if (output.json()) {
      JsonWriter json;
      json.begin_object().member("schema", kOutputSchema).member("last", *last);
      output.line(json.end_object().text());
    } else {
      output.field("records", fmt::format("up to sequence {} of the running daemon", *last));
    }
    return Exit::kOkay;
  }

  Exit stat(Output& output) {
    if (stat_.options.is_live()) return stat_live(output);
    const auto reader = stat_.options.open_reader();
    if (!reader) return output.problem(reader.error());
    const auto view = audit::SegmentView::open(reader->segments().back().path);
    if (!view) return output.problem(audit_problem(view.error()));
    std::uint64_t bytes = 0;
    for (const auto& segment : reader->segments()) bytes += segment.bytes;
    const auto& head = view->head();
    const auto first = reader->segments().front().first;
    if (output.json()) {
      JsonWriter json;
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
    output.field("events", fmt::format("{} since the log was created", count_text(head.events)));
    output.field("dropped", head.dropped == 0
                                ? "none"
                                : fmt::format("by retention, up to sequence {}", head.dropped));
    output.field(
        "size", fmt::format("{} segments, {} bytes", reader->segments().size(), count_text(bytes)));
    return Exit::kOkay;
  }

  Part tail_, search_, report_, verify_, export_, stat_;
  LiveAudit live_{""};
  bool follow_ = false;
  AuditVerifyWords verify_words_;
  std::uint64_t lines_ = 20;
  std::uint64_t limit_ = 0;
  std::string format_ = "jsonl";
};

}  // namespace

std::unique_ptr<Command> make_audit() {
  return std::make_unique<AuditCommand>();
}

}  // namespace claimsd::claimsctl
