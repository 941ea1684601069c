// report_host.h: a scripted daemon that takes reports, and a client of it.
#pragma once

#include <mutex>
#include <thread>

#include "tests/client/host.h"

namespace claimsd::testing {

inline bool welcome_with_reports(Peer& peer) {
  const auto frame = peer.receive();
  const auto hello = frame ? frame->as<proto::Hello>() : std::nullopt;
  if (!hello || (hello->features & proto::kFeatureReports) == 0) return false;
  return peer.send(proto::Welcome{.version = proto::kVersion, .features = proto::kFeatureReports},
                   frame->header.request_id);
}

// A fake daemon that stores every report and answers as configured by the fields below.
struct Registrar {
  struct Seen {
    std::string token, user, method, route, required, client_address, trace_id;
    proto::Report report;  // its numbers
  };

  void serve(Peer& peer) {
    if (!welcome_with_reports(peer)) return;
    while (const auto frame = peer.receive()) {
      if (const auto report = frame->as<proto::Report>()) {
        note(*report);
        while (held) std::this_thread::yield();
        if (silent) continue;
        peer.send(proto::Receipt{.reason = static_cast<std::uint16_t>(reason.load())},
                  frame->header.request_id);
      } else if (const auto query = frame->as<proto::Query>()) {
        peer.send(valid_answer(claims_block(query->token)), frame->header.request_id);
      }
    }
  }
  void note(const proto::Report& report) {
    const std::lock_guard locked(mutex);
    seen.push_back({std::string(report.token), std::string(report.user), std::string(report.method),
                    std::string(report.route), std::string(report.required),
                    std::string(report.client_address), std::string(report.trace_id), report});
  }

  std::atomic<proto::Reason> reason = proto::Reason::kOk;
  std::atomic<bool> silent = false;  // gives no receipts
  std::atomic<bool> held = false;    // gives them later
  std::mutex mutex;
  std::vector<Seen> seen;
};

struct ReportHost {
  Registrar registrar;
  Host host{[this](Peer& peer) { registrar.serve(peer); }};
  const Client& client = host.client;

  ~ReportHost() { registrar.held = false; }

  std::vector<std::uint32_t> unacknowledged() {
    const std::lock_guard locked(registrar.mutex);
    std::vector<std::uint32_t> counts;
    for (const auto& seen : registrar.seen) counts.push_back(seen.report.unacknowledged);
    return counts;
  }
};

inline ReportRequest denial() {
  return {.status = 403,
          .token = "token",
          .reason = {},
          .user = "user-7",
          .method = "POST",
          .route = "studies/<int:number>/",
          .required = "HasRole(rvt)",
          .client_address = "10.0.0.1",
          .trace_id = "trace",
          .await_record = true};
}

// The same, sent only.
inline ReportRequest brief_denial() {
  ReportRequest refusal = denial();
  refusal.await_record = false;
  return refusal;
}

}  // namespace claimsd::testing
