// claimsctl ping: measures round trips to the daemon over the claims socket. The first one includes
// connecting.
#include <fmt/core.h>

#include <algorithm>
#include <numeric>

#include "client/claimsctl/lookup.h"
#include "daemon/base/json_writer.h"

namespace claimsd::ctl {
namespace {

constexpr std::uint32_t kMostPings = 100'000;

struct Pings {
  std::vector<std::uint64_t> round_trips_ns;  // in order
  std::optional<Answer> failure;              // set if the last one got no answer
};

Pings ping(const Client& client, std::uint32_t count, Milliseconds timeout) {
  Pings pings;
  while (pings.round_trips_ns.size() < count && !pings.failure) {
    std::uint64_t nanoseconds = 0;
    claimsd_answer* why = nullptr;
    const auto result = claimsd_ping(client.get(), timeout.count(), &nanoseconds, &why);
    Answer answer(why);
    if (result == CLAIMSD_OK) {
      pings.round_trips_ns.push_back(nanoseconds);
    } else {
      pings.failure = std::move(answer);
    }
  }
  return pings;
}

std::uint64_t median(std::vector<std::uint64_t> values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

std::string time_text(std::uint64_t nanoseconds) {
  return duration_text(static_cast<double>(nanoseconds) / 1e9);
}

void show(const Pings& pings, const Globals& globals, Output& output) {
  const auto& times = pings.round_trips_ns;
  if (times.size() == 1) {
    output.line(fmt::format("{} answered in {}, including the connection setup",
                            printable(globals.socket), time_text(times.front())));
  } else if (!times.empty()) {
    const auto [least, most] = std::minmax_element(times.begin(), times.end());
    output.line(
        fmt::format("{} answered {} times: first {} (including the connection setup), "
                    "minimum {}, median {}, maximum {}",
                    printable(globals.socket), times.size(), time_text(times.front()),
                    time_text(*least), time_text(median(times)), time_text(*most)));
  }
  if (pings.failure) {
    output.problem({exit_of(*pings.failure), std::string(pings.failure->reason()),
                    fmt::format("no answer from {}: {}", globals.socket, pings.failure->text()),
                    ""});
  }
}

void show_json(const Pings& pings, const Globals& globals, Output& output) {
  const auto& times = pings.round_trips_ns;
  daemon::JsonWriter json;
  json.begin_object()
      .member("schema", kOutputSchema)
      .member("socket", globals.socket)
      .member("answered", times.size())
      .member("reason", pings.failure ? pings.failure->reason() : "ok")
      .member("text", pings.failure ? pings.failure->text() : "the daemon answered");
  if (!times.empty()) {
    const auto [least, most] = std::minmax_element(times.begin(), times.end());
    json.member("first_ns", times.front())
        .member("least_ns", *least)
        .member("median_ns", median(times))
        .member("most_ns", *most);
  }
  output.line(json.end_object().text());
}

std::string check_pings(const std::string& text) {
  const bool digits = !text.empty() && text.size() <= 6 &&
                      text.find_first_not_of("0123456789") == std::string::npos;
  if (digits && std::stoul(text) >= 1 && std::stoul(text) <= kMostPings) return "";
  return fmt::format("must be a whole number from 1 to {}", kMostPings);
}

class PingCommand final : public Command {
 public:
  std::vector<Option> options() override {
    return {
        {.names = "--count",
         .target = &count_,
         .help = "The number of round trips, one after the other",
         .value = "N",
         .shows_default = true,
         .check = check_pings},
        {.names = "--timeout",
         .target = &timeout_ms_,
         .help = "How long to wait for each answer; 0: the default",
         .value = "MS",
         .check = check_milliseconds},
    };
  }

  Exit run(const Globals& globals, Output& output) override {
    const auto client = make_client(globals, "");
    if (!client) return output.problem(client.error());
    const auto pings = ping(*client, count_, Milliseconds(timeout_ms_));
    if (output.json()) {
      show_json(pings, globals, output);
    } else {
      show(pings, globals, output);
    }
    return pings.failure ? exit_of(*pings.failure) : Exit::kOkay;
  }

 private:
  std::uint32_t count_ = 1;
  std::uint32_t timeout_ms_ = 0;
};

}  // namespace

std::unique_ptr<Command> make_ping() {
  return std::make_unique<PingCommand>();
}

}  // namespace claimsd::ctl
