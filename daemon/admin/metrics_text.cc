#include "daemon/admin/metrics_text.h"

#include <fmt/format.h>

#include <iterator>

namespace claimsd::daemon {
namespace {

// One row a series; the name without "claimsd_".
struct Gauge {
  std::string_view name;
  std::string_view help;
  double (*read)(const DaemonStatus&);
};

struct UpstreamSeries {
  std::string_view name;
  std::string_view type;
  std::string_view help;
  double (*read)(const UpstreamStatus&);
};

double count(std::uint64_t value) {
  return static_cast<double>(value);
}

double in_seconds(Duration duration) {
  return std::chrono::duration<double>(duration).count();
}

// clang-format off
constexpr Gauge kGauges[] = {
  {"start_time_seconds", "When the daemon started, in seconds since the Unix epoch",
   [](const DaemonStatus& s) { return in_seconds(s.started.time_since_epoch()); }},
  {"uptime_seconds", "How long the daemon has been running, suspends included",
   [](const DaemonStatus& s) { return in_seconds(s.uptime); }},
  {"stopping", "1 while the daemon is stopping",
   [](const DaemonStatus& s) { return s.stopping ? 1.0 : 0.0; }},
  {"connections", "Clients connected to the claims socket",
   [](const DaemonStatus& s) { return count(s.connections); }},
  {"connections_max", "Clients that may be connected at once",
   [](const DaemonStatus& s) { return count(s.max_connections); }},
  {"questions_waiting", "Questions waiting for an Auth API",
   [](const DaemonStatus& s) { return count(s.waiting); }},
  {"upstream_in_flight", "Requests on their way to an Auth API",
   [](const DaemonStatus& s) { return count(s.in_flight); }},
  {"upstream_pending", "Requests waiting for their turn",
   [](const DaemonStatus& s) { return count(s.pending); }},
  {"cache_entries", "Confirmed tokens in the cache",
   [](const DaemonStatus& s) { return count(s.entries); }},
  {"cache_entries_max", "Confirmed tokens that the cache may hold",
   [](const DaemonStatus& s) { return count(s.max_entries); }},
  {"cache_negative_entries", "Refused tokens remembered for some seconds",
   [](const DaemonStatus& s) { return count(s.negative_entries); }},
  {"revocation_rules", "Rules of purges and revocations in effect",
   [](const DaemonStatus& s) { return count(s.revocations); }},
  {"revocation_rules_max", "Rules that there is room for",
   [](const DaemonStatus& s) { return count(s.max_revocations); }},
};

constexpr UpstreamSeries kUpstreamSeries[] = {
  {"upstream_calls_total", "counter", "Requests made to this Auth API",
   [](const UpstreamStatus& u) { return count(u.requests); }},
  {"upstream_call_failures_total", "counter", "Requests to this Auth API that settled nothing",
   [](const UpstreamStatus& u) { return count(u.failures); }},
  {"upstream_consecutive_failures", "gauge", "Failures since this Auth API last answered",
   [](const UpstreamStatus& u) { return count(u.consecutive_failures); }},
  {"upstream_last_latency_seconds", "gauge", "How long this Auth API took for its last answer",
   [](const UpstreamStatus& u) { return in_seconds(u.last_latency); }},
  {"upstream_left_alone_seconds", "gauge", "How much longer this Auth API is left alone, since it fails; 0: it is asked",
   [](const UpstreamStatus& u) { return in_seconds(u.left_alone); }},
};
// clang-format on

class Text {
 public:
  void head(std::string_view name, std::string_view type, std::string_view help) {
    append("# HELP claimsd_{} {}\n# TYPE claimsd_{} {}\n", name, help, name, type);
  }
  void sample(std::string_view name, double value) { append("claimsd_{} {}\n", name, value); }
  void sample(std::string_view name, std::string_view label, std::string_view content,
              double value) {
    append("claimsd_{}{{{}=\"{}\"}} {}\n", name, label, escaped(content), value);
  }
  template <class... Args>
  void append(fmt::format_string<Args...> format, Args&&... args) {
    fmt::format_to(std::back_inserter(text_), format, std::forward<Args>(args)...);
  }
  std::string take() { return std::move(text_); }

 private:
  static std::string escaped(std::string_view content) {
    std::string out;
    for (const char c : content) {
      if (c == '\\' || c == '"') out += '\\';
      if (c == '\n') {
        out += "\\n";
      } else {
        out += c;
      }
    }
    return out;
  }

  std::string text_;
};

void write_counters(Text& text, const Counters& counters) {
  each_counter(counters, [&](std::string_view name, std::string_view help, std::uint64_t value) {
    const auto metric = fmt::format("{}_total", name);
    text.head(metric, "counter", help);
    text.append("claimsd_{} {}\n", metric, value);
  });
}

}  // namespace

std::string metrics_text(const DaemonStatus& status) {
  Text text;
  text.head("build_info", "gauge", "The daemon's version, as a label; always 1");
  text.sample("build_info", "version", status.version, 1);
  write_counters(text, status.counters);
  for (const auto& gauge : kGauges) {
    text.head(gauge.name, "gauge", gauge.help);
    text.sample(gauge.name, gauge.read(status));
  }
  for (const auto& series : kUpstreamSeries) {
    if (status.upstreams.empty()) break;
    text.head(series.name, series.type, series.help);
    for (const auto& upstream : status.upstreams) {
      text.sample(series.name, "upstream", upstream.name, series.read(upstream));
    }
  }
  return text.take();
}

}  // namespace claimsd::daemon
