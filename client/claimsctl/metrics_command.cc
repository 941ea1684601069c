// claimsctl metrics: prints the metrics in Prometheus text format, or with --json one object per
// series.
#include <fmt/core.h>

#include <charconv>

#include "client/claimsctl/command.h"
#include "client/claimsctl/reply.h"
#include "daemon/base/json_writer.h"

namespace claimsd::claimsctl {
namespace {

// `line`: "name{labels} value".
std::string series_json(std::string_view line) {
  const auto space = line.rfind(' ');
  double value = 0;
  std::from_chars(line.data() + space + 1, line.data() + line.size(), value);
  JsonWriter json;
  json.begin_object()
      .member("schema", kOutputSchema)
      .member("series", line.substr(0, space))
      .member("value", value);
  return json.end_object().take();
}

class MetricsCommand final : public Command {
 public:
  bool is_long() const override { return true; }

  Exit run(const Globals& globals, Output& output) override {
    const auto reply = admin_get(globals.admin_socket, "/metrics");
    if (!reply) return output.problem(reply.error());
    if (reply->status != 200) return output.problem(refused(*reply, globals.admin_socket));
    std::string_view rest = reply->body;
    while (!rest.empty()) {
      const auto end = std::min(rest.find('\n'), rest.size());
      const std::string line = printable(rest.substr(0, end));
      rest.remove_prefix(std::min(end + 1, rest.size()));
      if (!output.json()) {
        output.line(line);
      } else if (!line.empty() && line.front() != '#') {
        output.line(series_json(line));
      }
    }
    return Exit::kOkay;
  }
};

}  // namespace

std::unique_ptr<Command> make_metrics() {
  return std::make_unique<MetricsCommand>();
}

}  // namespace claimsd::claimsctl
