// Text form of the samples of metrics.h. "Exposition formats", Prometheus documentation.
#include <fmt/core.h>

#include <iterator>

#include "daemon/admin/metrics.h"
#include "daemon/admin/status_json.h"

namespace claimsd::admin {
namespace {

std::string escaped(std::string_view content) {
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

}  // namespace

// `bound`: label `le` of a bucket; "": none.
void Samples::write(std::string_view suffix, Labels labels, std::string_view bound,
                    std::string_view value) {
  text_ += name_;
  text_ += suffix;
  char separator = '{';
  for (const auto& [label, content] : labels) {
    fmt::format_to(std::back_inserter(text_), "{}{}=\"{}\"", separator, label, escaped(content));
    separator = ',';
  }
  if (!bound.empty()) {
    fmt::format_to(std::back_inserter(text_), "{}le=\"{}\"", separator, bound);
    separator = ',';
  }
  fmt::format_to(std::back_inserter(text_), "{} {}\n", separator == ',' ? "}" : "", value);
}

void Samples::add(Labels labels, std::uint64_t value) {
  write("", labels, "", fmt::format("{}", value));
}

void Samples::add(Labels labels, double value) {
  write("", labels, "", fmt::format("{}", value));
}

void Samples::add(Labels labels, Duration value) {
  add(labels, in_seconds(value));
}

void Samples::add(Labels labels, const DurationHistogram& histogram) {
  std::uint64_t count = 0;
  for (std::size_t at = 0; at < DurationHistogram::kBuckets; ++at) {
    count += histogram.buckets()[at];
    const bool last = at == DurationHistogram::kBounds.size();
    write("_bucket", labels,
          last ? "+Inf" : fmt::format("{}", in_seconds(DurationHistogram::kBounds[at])),
          fmt::format("{}", count));
  }
  write("_sum", labels, "", fmt::format("{}", in_seconds(histogram.sum())));
  write("_count", labels, "", fmt::format("{}", count));
}

std::string_view name_of(MetricType type) {
  switch (type) {
    case MetricType::kCounter: return "counter";
    case MetricType::kGauge: return "gauge";
    case MetricType::kHistogram: return "histogram";
  }
  return "untyped";
}

std::string metrics_text(const MetricsSource& from) {
  std::string text;
  for (const Metric& metric : metrics()) {
    fmt::format_to(std::back_inserter(text), "# HELP {} {}\n# TYPE {} {}\n", metric.name,
                   metric.help, metric.name, name_of(metric.type));
    Samples samples(text, metric.name);
    metric.write(samples, from);
  }
  return text;
}

}  // namespace claimsd::admin
