// metrics.h: the table of metrics: name, type, labels, help, and how to read the samples from the
// daemon's status. Generates the Prometheus exposition (text format 0.0.4) and the documentation.
// Pure; any thread.
//
// Counters without labels come from the tables of their components (base/counter_table.h). Label
// values are fixed or come from the configuration: no client, user or peer can create a series.
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

namespace claimsd::admin {

inline constexpr char kMetricsContentType[] = "text/plain; version=0.0.4; charset=utf-8";

// The source of all metrics.
struct MetricsSource {
  const DaemonStatus& status;
  const ProcessUsage& process;
};

// Collects the samples of one metric.
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
  std::string_view labels;  // label names joined by ", "; "": none
  std::string_view help;
  void (*write)(Samples& samples, const MetricsSource& from);
};

std::span<const Metric> metrics();

std::string metrics_text(const MetricsSource& from);

}  // namespace claimsd::admin
