// claimsctl status: is the daemon healthy, and if not, what to do. Renders /v1/status of the admin
// API; with --json, that object itself.
#include <fmt/core.h>

#include "client/claimsctl/admin_client.h"
#include "client/claimsctl/command.h"
#include "client/claimsctl/reply.h"

namespace claimsd::claimsctl {
namespace {

void show_health(const Element& status, Output& output) {
  if (truth_at(status, "/healthy")) {
    output.line("claimsd is " + output.coloured(Colour::kGood, "healthy"));
    return;
  }
  output.line("claimsd is " + output.coloured(Colour::kBad, "degraded"));
  each_at(status, "/findings", [&](const Element& finding) {
    output.line(
        fmt::format("  {} {}", output.coloured(Colour::kBad, "!"), text_at(finding, "/message")));
    output.line(fmt::format("    fix: {}", text_at(finding, "/hint")));
  });
}

void show_process(const Element& status, Output& output) {
  output.field("daemon",
               fmt::format("version {}, pid {}, {} for {} (since {})", text_at(status, "/version"),
                           count_at(status, "/pid"), text_at(status, "/state"),
                           duration_text(number_at(status, "/uptime_seconds")),
                           text_at(status, "/started")));
  output.field("socket", text_at(status, "/claims_socket"));
  output.field("config", text_at(status, "/config_file"));
}

std::string leases_text(const Element& status) {
  if (count_at(status, "/leases/slots") == 0) return "none: every query uses the socket";
  const auto count = [&](std::string_view pointer) {
    return count_text(count_at(status, pointer));
  };
  return fmt::format("{} of {} slots, {} published, {} renewed, {} collisions",
                     count("/leases/used"), count("/leases/slots"),
                     count("/counters/leases_published"), count("/counters/leases_renewed"),
                     count("/counters/lease_collisions"));
}

// An older daemon reports no audit state.
void show_audit(const Element& status, Output& output) {
  const std::string state = text_at(status, "/audit/state");
  if (state.empty()) return;
  if (state == "off") return output.field("audit log", "off");
  const auto count = [&](std::string_view pointer) {
    return count_text(count_at(status, pointer));
  };
  const bool well = state == "writable";
  const std::string_view said = well                   ? "writable"
                                : state == "disk_full" ? "disk full"
                                                       : "not writable, retrying";
  output.field("audit log", fmt::format("{}; sequence {}, {} segments of {} in {}",
                                        output.coloured(well ? Colour::kGood : Colour::kBad, said),
                                        count("/audit/sequence"), count("/audit/segments"),
                                        bytes_text(count_at(status, "/audit/bytes")),
                                        text_at(status, "/audit/directory")));
  std::string rest = fmt::format("level {}; {} answers wait for their record",
                                 text_at(status, "/audit/level"), count("/audit/waiting"));
  if (const auto denied = count_at(status, "/counters/audit_unavailable"); denied > 0)
    rest += fmt::format("; {} events not recorded and answered unavailable", count_text(denied));
  if (const auto allowed = count_at(status, "/counters/audit_unrecorded"); allowed > 0)
    rest += fmt::format("; {} events answered without a record", count_text(allowed));
  output.field("", rest);
}

// An older daemon does not report it.
std::string http_text(const Element& status) {
  if (!truth_at(status, "/http/on")) return "off";
  const auto count = [&](std::string_view pointer) {
    return count_text(count_at(status, pointer));
  };
  return fmt::format("{} of {} connections; 200: {}, 401: {}, 403: {}, 503: {}",
                     count("/http/connections"), count("/http/max_connections"),
                     count("/counters/http_allowed"), count("/counters/http_unauthorized"),
                     count("/counters/http_denied"), count("/counters/http_unavailable"));
}

void show_load(const Element& status, Output& output) {
  const auto count = [&](std::string_view pointer) {
    return count_text(count_at(status, pointer));
  };
  output.field("connections",
               fmt::format("{} of {}", count("/connections/open"), count("/connections/max")));
  if (has(status, "/http")) output.field("HTTP", http_text(status));
  output.field("lookups", fmt::format("{} received, {} waiting; {} answered by workers themselves",
                                      count("/counters/queries"), count("/queries/waiting"),
                                      count("/counters/worker_hits")));
  if (has(status, "/cache/hit_ratio"))
    output.field("", fmt::format("{:.1f} % of all lookups answered from a cache",
                                 number_at(status, "/cache/hit_ratio") * 100));
  output.field("cache",
               fmt::format("{} of {} entries, {} negative entries", count("/cache/entries"),
                           count("/cache/max_entries"), count("/cache/negative_entries")));
  output.field("leases", leases_text(status));
  const std::uint64_t unwritten = count_at(status, "/cache/unwritten_revocations");
  if (count_at(status, "/cache/revocations") > 0 || unwritten > 0) {
    output.field("revocations",
                 fmt::format("{} of {} rules in effect{}", count("/cache/revocations"),
                             count("/cache/max_revocations"),
                             unwritten > 0 ? fmt::format("; {} actions are not on disk yet",
                                                         count_text(unwritten))
                                           : ""));
  }
  output.field("requests", fmt::format("{} in flight, {} pending", count("/requests/in_flight"),
                                       count("/requests/pending")));
}

// An older daemon does not report it.
void show_fleet(const Element& status, Output& output) {
  if (!truth_at(status, "/fleet/on")) return;
  const bool current = truth_at(status, "/fleet/current");
  output.field("fleet", fmt::format("{}: {}; {} hosts, {} actions; see claimsctl fleet",
                                    text_at(status, "/fleet/name"),
                                    output.coloured(current ? Colour::kGood : Colour::kBad,
                                                    current ? "current" : "not current"),
                                    count_text(count_at(status, "/fleet/hosts")),
                                    count_text(count_at(status, "/fleet/actions"))));
}

Colour state_colour(std::string_view state) {
  if (state == "ok") return Colour::kGood;
  return state == "failing" ? Colour::kBad : Colour::kUnsure;
}

void show_upstream(const Element& upstream, Output& output) {
  const auto state = text_at(upstream, "/state");
  output.field("Auth API",
               fmt::format("{} {}{}: {}", text_at(upstream, "/name"), text_at(upstream, "/url"),
                           truth_at(upstream, "/default") ? " (default)" : "",
                           output.coloured(state_colour(state), state)));
  output.field("", fmt::format("{} requests, {} failed, last latency {}",
                               count_text(count_at(upstream, "/requests")),
                               count_text(count_at(upstream, "/failures")),
                               duration_text(number_at(upstream, "/last_latency_seconds"))));
  if (const double left = number_at(upstream, "/backoff_seconds"); left > 0)
    output.field("", fmt::format("circuit breaker open, next probe in {}", duration_text(left)));
  if (truth_at(upstream, "/forbids_caching"))
    output.field("", "this Auth API forbids caching: every lookup is a request");
  if (const auto ends = text_at(upstream, "/client_certificate_ends"); !ends.empty())
    output.field("", "client certificate expires " + std::string(ends));
  const auto failure = text_at(upstream, "/last_failure");
  if (!failure.empty()) output.field("", "last failure: " + failure);
}

Problem not_a_status(const std::string& socket, long http_status) {
  return {Exit::kUnavailable, "bad_reply",
          fmt::format("the reply on {} (HTTP {}) is not a status that this claimsctl can read",
                      socket, http_status),
          "check that claimsd listens there and is as new as this claimsctl"};
}

class StatusCommand final : public Command {
 public:
  bool is_long() const override { return true; }

  Exit run(const Globals& globals, Output& output) override {
    const auto reply = admin_get(globals.admin_socket, "/v1/status");
    if (!reply) return output.problem(reply.error());
    const auto parsed = Reply::parse(reply->body);
    if (parsed && !text_at(parsed->root(), "/error/message").empty())
      return output.problem(refused(*reply, globals.admin_socket));
    if (reply->status != 200 || !parsed || count_at(parsed->root(), "/schema") != 1)
      return output.problem(not_a_status(globals.admin_socket, reply->status));
    const Element& status = parsed->root();
    if (output.json()) {
      output.line(json_text(status));
    } else {
      show_health(status, output);
      show_process(status, output);
      show_load(status, output);
      show_audit(status, output);
      show_fleet(status, output);
      each_at(status, "/upstreams", [&](const Element& one) { show_upstream(one, output); });
    }
    return truth_at(status, "/healthy") ? Exit::kOkay : Exit::kUnavailable;
  }
};

}  // namespace

std::unique_ptr<Command> make_status() {
  return std::make_unique<StatusCommand>();
}

}  // namespace claimsd::claimsctl
