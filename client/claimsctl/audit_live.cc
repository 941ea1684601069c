#include "client/claimsctl/audit_live.h"

#include <fmt/core.h>
#include <simdjson.h>

#include <algorithm>
#include <limits>

#include "client/claimsctl/reply.h"
#include "daemon/audit/live_query.h"
#include "daemon/base/hex.h"

namespace claimsd::claimsctl {
namespace {

Problem not_a_page(const std::string& socket) {
  return {Exit::kUnavailable, "bad_reply",
          fmt::format("the reply on {} is not a page of an audit log", socket),
          "check that claimsd listens there and is as new as this claimsctl"};
}

std::optional<std::string> bytes_at(const Element& from, std::string_view pointer) {
  std::string_view text;
  if (from.at_pointer(pointer).get(text) != simdjson::SUCCESS) return std::nullopt;
  return from_hex(text);
}

bool read_link(const Element& from, std::string_view pointer, audit::Link& link) {
  const auto bytes = bytes_at(from, pointer);
  if (!bytes || bytes->size() != link.size()) return false;
  std::copy(bytes->begin(), bytes->end(), reinterpret_cast<char*>(link.data()));
  return true;
}

bool read_newest(const Element& root, audit::SegmentIdentity& newest) {
  newest.first = count_at(root, "/newest/first");
  newest.origin = text_at(root, "/newest/origin");
  newest.events = count_at(root, "/newest/events");
  return newest.first != 0 && read_link(root, "/newest/before", newest.before);
}

}  // namespace

Expected<audit::Page> LiveAudit::page(const audit::SearchFilter& query) const {
  const auto reply = admin_get(socket_, "/v1/audit?" + audit::audit_query_text(query));
  const auto got = read_reply(reply, socket_);
  if (!got) {
    Problem why = got.error();
    // Any error reply means that the log cannot be read.
    if (reply) why.exit = Exit::kUnavailable;
    return tl::make_unexpected(why);
  }
  const Element& root = got->root();
  audit::Page page;
  simdjson::dom::array records;
  if (root["next"].get(page.next) != simdjson::SUCCESS ||
      root["last"].get(page.last) != simdjson::SUCCESS ||
      root["records"].get(records) != simdjson::SUCCESS || !read_newest(root, page.newest))
    return tl::make_unexpected(not_a_page(socket_));
  for (const Element one : records) {
    audit::Page::Row row;
    const auto record = bytes_at(one, "/record");
    if (!record || !read_link(one, "/link", row.link))
      return tl::make_unexpected(not_a_page(socket_));
    row.record = *record;
    page.records.push_back(std::move(row));
  }
  return page;
}

Expected<audit::Sequence> LiveAudit::each_page(
    audit::SearchFilter query, const std::function<bool(const audit::Page&)>& visit) const {
  for (;;) {
    const auto got = page(query);
    if (!got) return tl::make_unexpected(got.error());
    if (!visit(*got)) return got->next;
    const bool stuck = got->next <= query.first && got->last >= query.first;
    if (stuck) return tl::make_unexpected(not_a_page(socket_));
    query.first = got->next;
    if (got->next > got->last) return got->next;
  }
}

Expected<audit::Sequence> LiveAudit::search(const audit::SearchFilter& query,
                                            const audit::Visit& visit) const {
  bool readable = true;
  auto next = each_page(query, [&](const audit::Page& page) {
    for (const audit::Page::Row& row : page.records) {
      const auto record = audit::decode_audit_record(row.record);
      readable = record.has_value();
      if (!readable || !visit(*record)) return false;
    }
    return true;
  });
  if (!readable) return tl::make_unexpected(not_a_page(socket_));
  return next;
}

Expected<void> LiveAudit::rows(audit::Sequence first, audit::Sequence last,
                               const RowVisit& visit) const {
  audit::SearchFilter query;
  query.first = first;
  const auto done = each_page(query, [&](const audit::Page& page) {
    for (const audit::Page::Row& row : page.records) {
      const auto sequence = audit::audit_sequence_of(row.record);
      if (sequence && *sequence > last) return false;
      if (!visit(row)) return false;
    }
    return page.next <= last;
  });
  if (!done) return tl::make_unexpected(done.error());
  return {};
}

Expected<audit::Page> LiveAudit::end() const {
  audit::SearchFilter nothing;
  nothing.first = std::numeric_limits<std::int64_t>::max();
  return page(nothing);
}

Expected<audit::Sequence> LiveAudit::last() const {
  const auto got = end();
  if (!got) return tl::make_unexpected(got.error());
  return got->last;
}

Expected<std::string> LiveAudit::directory() const {
  const auto status = read_reply(admin_get(socket_, "/v1/status"), socket_);
  if (!status) return tl::make_unexpected(status.error());
  return text_at(status->root(), "/audit/directory");
}

}  // namespace claimsd::claimsctl
