// claimsctl statistics: prints the daemon's counters since its start, by source, Auth API and peer.
// With --json, the daemon's own object.
#include <fmt/core.h>

#include "client/claimsctl/command.h"
#include "client/claimsctl/latency.h"
#include "client/claimsctl/table.h"

namespace claimsd::claimsctl {
namespace {

using Rows = std::vector<std::string>;

std::vector<double> bounds_of(const Element& statistics) {
  std::vector<double> bounds;
  each_at(statistics, "/bucket_bounds_seconds",
          [&](const Element& bound) { bounds.push_back(number_at(bound, "")); });
  return bounds;
}

void show_table(std::string_view title, const Table& table, Output& output) {
  output.line("");
  output.line(output.coloured(Colour::kStrong, title));
  for (const auto& line : table.lines()) output.line(line);
}

std::uint64_t count_of(const Element& statistics, std::string_view source,
                       std::string_view verdict) {
  std::uint64_t count = 0;
  each_at(statistics, "/lookups", [&](const Element& row) {
    if (text_at(row, "/source") == source && text_at(row, "/verdict") == verdict)
      count += count_at(row, "/count");
  });
  return count;
}

void show_lookups(const Element& statistics, Output& output) {
  constexpr std::string_view kSources[] = {"cache", "upstream", "stale", "none"};
  const auto bounds = bounds_of(statistics);
  using enum Align;
  Table table({kLeft, kRight, kRight, kRight, kRight, kRight, kRight});
  table.add({"source", "valid", "invalid", "unavailable", "waited", "mean", "p99"});
  for (const std::string_view source : kSources) {
    const auto count = [&](std::string_view verdict) {
      return count_text(count_of(statistics, source, verdict));
    };
    const Latency waits = latency_at(statistics, "/waits/" + std::string(source));
    table.add({std::string(source), count("valid"), count("invalid"), count("unavailable"),
               count_text(waits.count), mean_text(waits), within_text(waits, 0.99, bounds)});
  }
  show_table("lookups answered by the daemon", table, output);
  output.line(output.coloured(
      Colour::kFaint, fmt::format("  and {} that workers answered themselves, from {} leases",
                                  count_text(count_at(statistics, "/counters/worker_hits")),
                                  count_text(count_at(statistics, "/leases")))));
}

void show_upstreams(const Element& statistics, Output& output) {
  const auto bounds = bounds_of(statistics);
  using enum Align;
  Table table({kLeft, kLeft, kRight, kRight, kRight, kLeft});
  table.add({"Auth API", "outcome", "calls", "mean", "p99", ""});
  each_at(statistics, "/upstreams", [&](const Element& upstream) {
    for (const std::string_view outcome : {"confirmed", "rejected", "failed"}) {
      const Latency calls = latency_at(upstream, "/calls/" + std::string(outcome));
      std::string why;
      if (outcome == "failed") {
        each_member_at(upstream, "/failures", [&](const std::string& reason, const Element& count) {
          if (count_at(count, "") > 0)
            why += fmt::format("{}{} {}", why.empty() ? "" : ", ", reason,
                               count_text(count_at(count, "")));
        });
      }
      table.add({text_at(upstream, "/name"), std::string(outcome), count_text(calls.count),
                 mean_text(calls), within_text(calls, 0.99, bounds), why});
    }
  });
  show_table("requests to the Auth APIs", table, output);
}

void show_peers(const Element& statistics, Output& output) {
  using enum Align;
  Table table({kRight, kRight, kRight, kRight, kRight, kRight});
  table.add({"uid", "connections", "queries", "invalid", "unavailable", "rate-limited"});
  each_at(statistics, "/peers", [&](const Element& peer) {
    Rows row{std::to_string(count_at(peer, "/uid"))};
    for (const char* const name :
         {"/connections", "/queries", "/invalid", "/unavailable", "/rate_limited"})
      row.push_back(count_text(count_at(peer, name)));
    table.add(std::move(row));
  });
  show_table("peers", table, output);
}

void show_counters(const Element& statistics, Output& output) {
  using enum Align;
  Table table({kLeft, kRight});
  if (!has(statistics, "/counters")) return;
  each_member_at(statistics, "/counters", [&](const std::string& name, const Element& count) {
    table.add({name, count_text(count_at(count, ""))});
  });
  show_table("all counters", table, output);
}

class StatisticsCommand final : public Command {
 public:
  std::vector<Option> options() override {
    return {
        {.names = "--all", .target = &all_, .help = "Also show every counter"},
    };
  }

  bool is_long() const override { return true; }

  Exit run(const Globals& globals, Output& output) override {
    const auto statistics =
        read_reply(admin_get(globals.admin_socket, "/v1/statistics"), globals.admin_socket);
    if (!statistics) return output.problem(statistics.error());
    if (output.json()) {
      output.line(json_text(statistics->root()));
      return Exit::kOkay;
    }
    output.line(fmt::format("since the daemon started, {} ago ({})",
                            duration_text(number_at(statistics->root(), "/uptime_seconds")),
                            text_at(statistics->root(), "/started")));
    show_lookups(statistics->root(), output);
    show_upstreams(statistics->root(), output);
    show_peers(statistics->root(), output);
    if (all_) show_counters(statistics->root(), output);
    return Exit::kOkay;
  }

 private:
  bool all_ = false;
};

}  // namespace

std::unique_ptr<Command> make_statistics() {
  return std::make_unique<StatisticsCommand>();
}

}  // namespace claimsd::claimsctl
