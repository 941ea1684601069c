#include "client/claimsctl/audit_live.h"

#include <fmt/format.h>
#include <simdjson.h>

#include <limits>

#include "client/claimsctl/reply.h"
#include "daemon/audit/live_query.h"

namespace claimsd::ctl {
namespace {

Problem not_a_page(const std::string& socket) {
  return {Exit::kUnavailable, "bad_reply",
          fmt::format("what answers on {} sent no page of an audit log", socket),
          "is it claimsd, and as new as this claimsctl?"};
}

}  // namespace

Expected<LiveAudit::Page> LiveAudit::page(const daemon::AuditQuery& query) const {
  const auto reply = admin_get(socket_, "/v1/audit?" + daemon::audit_query_text(query));
  simdjson::dom::parser parser;
  const auto got = read_reply(reply, socket_, parser);
  if (!got) {
    Problem why = got.error();
    // Whatever the daemon has against the question: there is nothing to be read.
    if (reply) why.exit = Exit::kUnavailable;
    return tl::make_unexpected(why);
  }
  const Element& root = *got;
  Page page;
  simdjson::dom::array records;
  if (root["next"].get(page.next) != simdjson::SUCCESS ||
      root["last"].get(page.last) != simdjson::SUCCESS ||
      root["records"].get(records) != simdjson::SUCCESS)
    return tl::make_unexpected(not_a_page(socket_));
  for (const simdjson::dom::element one : records) {
    std::string_view text;
    if (one["record"].get(text) != simdjson::SUCCESS)
      return tl::make_unexpected(not_a_page(socket_));
    const auto bytes = daemon::from_hex(text);
    auto record = bytes ? daemon::decode_audit_record(*bytes) : std::nullopt;
    if (!record) return tl::make_unexpected(not_a_page(socket_));
    page.records.push_back(std::move(*record));
  }
  return page;
}

Expected<daemon::AuditSequence> LiveAudit::search(daemon::AuditQuery query,
                                                  const daemon::AuditVisit& visit) const {
  for (;;) {
    const auto got = page(query);
    if (!got) return tl::make_unexpected(got.error());
    for (const daemon::AuditRecord& record : got->records) {
      if (!visit(record)) return record.sequence + 1;
    }
    const bool stuck = got->next <= query.first && got->last >= query.first;
    if (stuck) return tl::make_unexpected(not_a_page(socket_));
    query.first = got->next;
    if (got->next > got->last) return got->next;
  }
}

Expected<daemon::AuditSequence> LiveAudit::last() const {
  daemon::AuditQuery nothing;
  nothing.first = std::numeric_limits<std::int64_t>::max();
  const auto got = page(nothing);
  if (!got) return tl::make_unexpected(got.error());
  return got->last;
}

}  // namespace claimsd::ctl
