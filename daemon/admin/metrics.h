// metrics.h: every metric as one row of one table: its name, type, labels and help, and how its
// samples come out of the daemon's status. The exposition for Prometheus (text format 0.0.4) and
// the documentation are made from these rows. Pure; any thread.
//
// What a part counts without labels is a row of that part's own table (base/counter_table.h), which
// this one takes up as it stands. Labels have values of ours or of the operator's configuration:
// nothing that a client, user or peer sends can make a series.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "daemon/admin/status.h"
#include "daemon/base/histogram.h"
#include "daemon/base/process_usage.h"

namespace claimsd::daemon {

inline constexpr char kMetricsContentType[] = "text/plain; version=0.0.4; charset=utf-8";

// What all metrics are read from.
struct MetricsSource {
  const DaemonStatus& status;
  const ProcessUsage& process;
};

// Takes the samples of one metric.
class Samples {
 public:
  using Labels = std::initializer_list<std::pair<std::string_view, std::string_view>>;

  Samples(std::string& text, std::string_view name) : text_(text), name_(name) {}
  void add(std::uint64_t value) { add({}, value); }
  void add(double value) { add({}, value); }
  void add(Duration value) { add({}, value); }
  void add(Labels labels, std::uint64_t value);
  void add(Labels labels, double value);
  void add(Labels labels, Duration value);  // as seconds
  void add(Labels labels, const DurationHistogram& histogram);

 private:
  void write(std::string_view suffix, Labels labels, std::string_view bound,
             std::string_view value);

  std::string& text_;
  std::string_view name_;
};

enum class MetricType : std::uint8_t { kCounter, kGauge, kHistogram };
std::string_view name_of(MetricType type);

struct Metric {
  std::string_view name;
  MetricType type;
  std::string_view labels;  // their names, joined by ", "; "": none
  std::string_view help;
  void (*write)(Samples& samples, const MetricsSource& from);
};

std::span<const Metric> metrics();

std::string metrics_text(const MetricsSource& from);

}  // namespace claimsd::daemon
