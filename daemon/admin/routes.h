// routes.h: the admin API as a table of routes, from which dispatch, 404 and 405, the index at `/`
// and the documentation follow. To add a call, add a row and its handler in routes.cc. Loop thread.
#pragma once

#include <functional>
#include <span>
#include <string_view>

#include "daemon/admin/status.h"
#include "daemon/admin/upstream_test.h"
#include "daemon/audit/live_query.h"
#include "daemon/base/process_usage.h"
#include "daemon/claims/inspection.h"
#include "daemon/claims/revocation/action_list.h"
#include "daemon/claims/revocation/admin_action.h"
#include "daemon/config/changes.h"
#include "daemon/fleet/status.h"
#include "daemon/http/message.h"
#include "daemon/log/log.h"
#include "daemon/server/peer_table.h"

namespace claimsd::admin {

class EventFeed;

// The daemon's status at the moment of the call. Runs on the loop, so it must be cheap.
using StatusSource = std::function<DaemonStatus()>;

// Carries out an order; the callback may run later (orders.h).
using ActionTaker = std::function<void(const claims::AdminAction& action, claims::ActionDone done)>;

// Log level in effect, and the one from the configuration, which applies again after a reload.
struct LogLevels {
  LogLevel now = LogLevel::kInfo;
  LogLevel configured = LogLevel::kInfo;
};

// Searches the audit log; `done` is called later, on the loop.
using AuditAsker = std::function<void(const audit::SearchFilter& query,
                                      std::function<void(const Result<audit::Page>&)> done)>;

// What handlers need from the daemon. Filled by the composition root.
struct AdminServices {
  StatusSource status;
  std::function<ProcessUsage()> process;
  ActionTaker purge;
  ActionTaker revoke;
  // `by`: uid of the caller, if known.
  std::function<void(const claims::ActionId& id, std::optional<std::uint32_t> by,
                     claims::ActionDone done)>
      unrevoke;
  std::function<std::optional<claims::ActionId>(
      const std::optional<claims::ActionId>& after, std::size_t most,
      const std::function<void(const claims::ActionDescription&)>& visit)>
      list_actions;
  std::function<std::optional<claims::UpstreamId>(std::string_view name)> upstream_named;
  std::function<std::optional<claims::TokenKey>(
      const std::optional<claims::TokenKey>& after, std::size_t most,
      const std::function<void(const claims::EntryDescription&)>& visit)>
      inspect;
  std::function<void(std::string_view token,
                     const std::function<void(const claims::TokenFinding&)>& visit)>
      inspect_token;
  std::function<Now()> now;
  EventFeed* events = nullptr;  // must outlive the handlers, as must `peers`
  const server::PeerTable* peers = nullptr;
  std::function<const std::vector<config::Setting>&()> settings;  // of the configuration in effect
  // `by`: uid of the caller, if known.
  std::function<void(std::optional<std::uint32_t> by, config::ReloadDone done)> reload;
  std::function<LogLevels()> log_levels;
  std::function<void(std::optional<std::uint32_t> by, LogLevel level)> set_log_level;
  UpstreamTestStarter test_upstream;
  // Ends the backoff of an Auth API; returns what remained of it.
  std::function<Duration(claims::UpstreamId upstream, std::optional<std::uint32_t> by)> retry_now;
  AuditAsker audit;  // empty: no audit log is kept
  // Empty: this host is in no fleet.
  // Calls `done` once, after the table was read again.
  std::function<void(std::function<void(const std::vector<fleet::HostStatus>&)> done)> fleet_hosts;
  // Calls `done` once: when all hosts have acknowledged the action or its withdrawal, or after
  // `timeout`. False: too many orders wait, or the fleet does not have it; `done` is not called.
  std::function<bool(const claims::ActionId& action, bool is_withdrawal, Duration timeout,
                     std::function<void(const fleet::Acknowledgement&)> done)>
      await_fleet;
};

struct Route {
  std::string_view method;
  std::string_view path;
  std::string_view help;  // one line for people
  http::Response (*handle)(const AdminServices& services, const http::Request& request);
  enum class Kind : std::uint8_t {
    kPlain,
    kScrape,  // also served on the listener for Prometheus
    kAction,  // an admin action: connections are reserved for it (connection_slots.h)
  };
  Kind kind = Kind::kPlain;
};

std::span<const Route> routes();

// Never fails: an unknown path or method gets 404 or 405 with a hint. HEAD is handled as GET.
http::Response dispatch(const AdminServices& services, const http::Request& request);

// Whether the request is an admin action.
bool is_action(const http::Request& request);

// The parameter `limit` of a page: 100 by default. Nullopt unless it is a number from 1 to `most`.
std::optional<std::size_t> read_limit(const http::Request& request, std::size_t most);

}  // namespace claimsd::admin
