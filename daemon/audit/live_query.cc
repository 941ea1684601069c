#include "daemon/audit/live_query.h"

#include <fmt/core.h>

#include <algorithm>
#include <limits>

#include "daemon/base/hex.h"
#include "daemon/base/parse_integer.h"
#include "daemon/base/percent_encoding.h"

namespace claimsd::audit {
namespace {

using proto::Verdict;

Error bad(std::string_view name, std::string_view allowed) {
  return {fmt::format("the parameter {} must be {}", name, allowed)};
}

template <class Number>
Result<Number> number_in(std::string_view name, std::string_view text) {
  const auto number = parse_integer<Number>(text);
  if (!number) return tl::make_unexpected(bad(name, "an integer"));
  return *number;
}

Result<WallTime> time_in(std::string_view name, std::string_view text) {
  return WallTime(Duration(TRY(number_in<std::int64_t>(name, text))));
}

Result<std::uint8_t> verdict_in(std::string_view text) {
  for (const Verdict verdict : {Verdict::kValid, Verdict::kInvalid, Verdict::kUnavailable}) {
    if (proto::name_of(verdict) == text) return static_cast<std::uint8_t>(verdict);
  }
  return tl::make_unexpected(bad("verdict", "valid, invalid or unavailable"));
}

Status take(SearchFilter& query, std::string_view name, std::string_view text) {
  if (name == "first") {
    query.first = TRY(number_in<Sequence>(name, text));
  } else if (name == "since") {
    query.since = TRY(time_in(name, text));
  } else if (name == "until") {
    query.until = TRY(time_in(name, text));
  } else if (name == "uid") {
    query.uid = TRY(number_in<std::uint32_t>(name, text));
  } else if (name == "verdict") {
    query.verdict = TRY(verdict_in(text));
  } else if (name == "user") {
    query.user = std::string(text);
  } else if (name == "event") {
    const EventRow* const row = audit_event_named(text);
    if (row == nullptr) return tl::make_unexpected(bad(name, "the name of an event"));
    query.event = row->event;
  } else if (name == "token") {
    Fingerprint token{};
    const auto bytes = from_hex(text);
    if (!bytes || bytes->size() != token.size())
      return tl::make_unexpected(bad(name, "a token fingerprint of 32 hexadecimal digits"));
    std::copy(bytes->begin(), bytes->end(), reinterpret_cast<char*>(token.data()));
    query.token = token;
  } else {
    return failure(
        "unknown parameter: use first, since, until, user, token, event, verdict or uid");
  }
  return {};
}

}  // namespace

Result<SearchFilter> audit_query_from(
    std::span<const std::pair<std::string_view, std::string_view>> parameters) {
  SearchFilter query;
  for (const auto& [name, text] : parameters) TRY(take(query, name, text));
  return query;
}

std::string audit_query_text(const SearchFilter& query) {
  std::string text = fmt::format("first={}", query.first);
  if (query.since) text += fmt::format("&since={}", query.since->time_since_epoch().count());
  if (query.until) text += fmt::format("&until={}", query.until->time_since_epoch().count());
  if (query.uid) text += fmt::format("&uid={}", *query.uid);
  if (query.verdict)
    text += fmt::format("&verdict={}", proto::name_of(static_cast<Verdict>(*query.verdict)));
  if (query.user) text += "&user=" + percent_encoded(*query.user);
  if (query.event) text += fmt::format("&event={}", name_of(*query.event));
  if (query.token) {
    text += "&token=" + hex_text(*query.token);
  }
  return text;
}

Result<Page> read_audit_page(const Store& store, const SearchFilter& query) {
  Page page;
  page.last = store.head().sequence;
  page.newest = store.newest();
  const bool indexed = query.user || query.token;
  const Sequence after_last = page.last + 1;
  page.next = indexed ? after_last : std::min(query.first + kAuditPageRecords, after_last);
  const std::vector<SegmentInfo>& segments = store.segments();
  if (!segments.empty() && query.first < segments.front().first && !indexed)
    page.next = std::min(segments.front().first + kAuditPageRecords, after_last);
  std::size_t at = 0;
  SearchStats stats;
  TRY(store.each_segment([&](const SegmentView& view) {
    const std::size_t next = ++at;
    const Sequence end = next < segments.size() ? segments[next].first : after_last;
    if (end <= query.first) return true;
    return search_segment(view, std::min(end, page.next), query, stats,
                          [&](const Record& record) {
                            const auto row = view.at(record.sequence);
                            if (!row) return true;
                            page.records.push_back({std::string(row->record), row->link});
                            if (page.records.size() < kAuditPageMatches) return true;
                            page.next = record.sequence + 1;
                            return false;
                          }) &&
           end < page.next;
  }));
  return page;
}

}  // namespace claimsd::audit
