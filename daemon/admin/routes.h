// routes.h: the admin API as one table of routes. Dispatch, the refusals 404 and 405, the index at
// `/` and the documentation all come from its rows; a new call is a new row in routes.cc and its
// handler. Pure but for what it is handed; loop thread.
#pragma once

#include <functional>
#include <span>
#include <string_view>

#include "daemon/admin/http_message.h"
#include "daemon/admin/status.h"
#include "daemon/audit/live_query.h"
#include "daemon/base/process_usage.h"
#include "daemon/claims/inspection.h"
#include "daemon/claims/revocation/orders.h"
#include "daemon/config/changes.h"
#include "daemon/log/log.h"
#include "daemon/server/peer_table.h"

namespace claimsd::daemon {

class EventFeed;

// The daemon's own view of itself at the moment of the call. Cheap: it runs on the loop.
using StatusSource = std::function<DaemonStatus()>;

// Carries an order out; the callback may come later (orders.h).
using OrderTaker = std::function<void(const Order& order, OrderDone done)>;

// How much is logged: since it was last set, and in the configuration, which counts again after a
// reload.
struct LogLevels {
  LogLevel now = LogLevel::kInfo;
  LogLevel configured = LogLevel::kInfo;
};

// Looks into the audit log; `done` is called later, on the loop.
using AuditAsker = std::function<void(const AuditQuery& query,
                                      std::function<void(const Result<AuditPage>&)> done)>;

// What handlers may ask of the daemon. Grows with the routes; the composition root fills it.
struct AdminServices {
  StatusSource status;
  std::function<ProcessUsage()> process;
  OrderTaker purge;
  OrderTaker revoke;
  std::function<std::optional<UpstreamId>(std::string_view name)> upstream_named;
  std::function<std::optional<TokenKey>(const std::optional<TokenKey>& after, std::size_t most,
                                        const std::function<void(const EntryDescription&)>& visit)>
      inspect;
  std::function<void(std::string_view token, const std::function<void(const TokenFinding&)>& visit)>
      inspect_token;
  std::function<Now()> now;
  EventFeed* events = nullptr;  // outlives the handlers, as the next one does
  const PeerTable* peers = nullptr;
  std::function<const std::vector<Setting>&()> settings;  // of the configuration in effect
  // `by`: the uid that asks, where it is known.
  std::function<void(std::optional<std::uint32_t> by, ReloadDone done)> reload;
  std::function<LogLevels()> log_levels;
  std::function<void(std::optional<std::uint32_t> by, LogLevel level)> set_log_level;
  AuditAsker audit;  // empty: none is kept
};

struct Route {
  std::string_view method;
  std::string_view path;
  std::string_view help;  // one line for people
  HttpResponse (*handle)(const AdminServices& services, const HttpRequest& request);
  bool scrapable = false;  // is on the listener for Prometheus as well
};

std::span<const Route> routes();

// Never fails: what no route takes is answered with 404 or 405 and a hint. HEAD is taken for GET.
HttpResponse dispatch(const AdminServices& services, const HttpRequest& request);

HttpResponse json_response(unsigned status, std::string body);

// A refusal in the one form that all of them have.
HttpResponse refusal(unsigned status, std::string_view code, std::string_view message,
                     std::string_view hint);

}  // namespace claimsd::daemon
