#include "daemon/audit/record.h"

#include <algorithm>
#include <cstring>

#include "daemon/audit/codec.h"

namespace claimsd::audit {
namespace {

constexpr std::uint8_t kRecordVersion = 2;

enum : std::uint8_t { kHasToken = 1U << 0, kIsVarious = 1U << 1, kIsCut = 1U << 2, kAllFlags = 7 };

bool needs_cut(const Record& record) {
  return record.peer.comm.size() > kMaxAuditComm || record.user.size() > kMaxAuditUser ||
         record.upstream.size() > kMaxAuditUpstream || record.method.size() > kMaxAuditMethod ||
         record.route.size() > kMaxAuditRoute || record.roles.size() > kMaxAuditRoles ||
         record.detail.size() > kMaxAuditDetail;
}

std::uint8_t flags_of(const Record& record) {
  unsigned flags = 0;
  if (record.token) flags |= kHasToken;
  if (record.various) flags |= kIsVarious;
  if (record.cut || needs_cut(record)) flags |= kIsCut;
  return static_cast<std::uint8_t>(flags);
}

template <class Time>
Time take_time(Decoder& take) {
  return Time(Duration(take.integer<std::int64_t>()));
}

}  // namespace

std::string encode_audit_record(const Record& record) {
  std::string out;
  out.reserve(kAuditHeaderSize + 256);
  Encoder put(out);
  put.integer(kRecordVersion);
  put.integer(flags_of(record));
  put.integer(static_cast<std::uint8_t>(record.event));
  put.integer(record.verdict);
  put.integer(static_cast<std::uint8_t>(record.source));
  put.integer(std::uint8_t{0});
  put.integer(static_cast<std::uint16_t>(record.reason));
  put.integer(record.sequence);
  put.integer(record.at.wall.time_since_epoch().count());
  put.integer(record.at.boot.time_since_epoch().count());
  put.integer(record.last.time_since_epoch().count());
  put.integer(record.count);
  put.integer(record.duration.count());
  put.integer(record.peer.uid);
  put.integer(record.peer.gid);
  put.integer(record.peer.pid);
  put.integer(record.status);
  put.integer(std::uint16_t{0});
  if (record.token) {
    out.append(reinterpret_cast<const char*>(record.token->data()), record.token->size());
  }
  put.text(record.peer.comm, kMaxAuditComm);
  put.text(record.user, kMaxAuditUser);
  put.text(record.upstream, kMaxAuditUpstream);
  put.text(record.method, kMaxAuditMethod);
  put.text(record.route, kMaxAuditRoute);
  put.text(record.roles, kMaxAuditRoles);
  put.text(record.detail, kMaxAuditDetail);
  return out;
}

std::optional<Record> decode_audit_record(std::string_view bytes) {
  Decoder take(bytes);
  Record record;
  if (take.integer<std::uint8_t>() != kRecordVersion) return std::nullopt;
  const auto flags = take.integer<std::uint8_t>();
  record.event = static_cast<Event>(take.integer<std::uint8_t>());
  record.verdict = take.integer<std::uint8_t>();
  record.source = static_cast<proto::Source>(take.integer<std::uint8_t>());
  if (take.integer<std::uint8_t>() != 0) take.refuse();
  record.reason = static_cast<proto::Reason>(take.integer<std::uint16_t>());
  record.sequence = take.integer<std::uint64_t>();
  record.at.wall = take_time<WallTime>(take);
  record.at.boot = take_time<BootTime>(take);
  record.last = take_time<WallTime>(take);
  record.count = take.integer<std::uint64_t>();
  record.duration = Duration(take.integer<std::int64_t>());
  record.peer.uid = take.integer<std::uint32_t>();
  record.peer.gid = take.integer<std::uint32_t>();
  record.peer.pid = take.integer<std::int32_t>();
  record.status = take.integer<std::uint16_t>();
  if (take.integer<std::uint16_t>() != 0) take.refuse();
  if ((flags & ~kAllFlags) != 0 || record.count == 0) take.refuse();
  record.various = (flags & kIsVarious) != 0;
  record.cut = (flags & kIsCut) != 0;
  if ((flags & kHasToken) != 0) {
    record.token.emplace();
    const std::string_view token = take.raw(record.token->size());
    if (!token.empty()) std::memcpy(record.token->data(), token.data(), token.size());
  }
  record.peer.comm = take.text(kMaxAuditComm);
  record.user = take.text(kMaxAuditUser);
  record.upstream = take.text(kMaxAuditUpstream);
  record.method = take.text(kMaxAuditMethod);
  record.route = take.text(kMaxAuditRoute);
  record.roles = take.text(kMaxAuditRoles);
  record.detail = take.text(kMaxAuditDetail);
  if (!take.at_end()) return std::nullopt;
  return record;
}

std::optional<Sequence> audit_sequence_of(std::string_view bytes) {
  if (bytes.size() < kAuditHeaderSize) return std::nullopt;
  Decoder take(bytes.substr(8));
  return take.integer<std::uint64_t>();
}

Record various(const Record& first) {
  Record record;
  record.event = first.event;
  record.verdict = first.verdict;
  record.reason = first.reason;
  record.at = first.at;
  record.last = first.last;
  record.count = first.count;
  record.peer.uid = first.peer.uid;
  record.peer.gid = first.peer.gid;
  record.upstream = first.upstream;
  record.various = true;
  return record;
}

void absorb(Record& folded, const Record& more) {
  folded.count += more.count;
  folded.at.wall = std::min(folded.at.wall, more.at.wall);
  folded.at.boot = std::min(folded.at.boot, more.at.boot);
  folded.last = std::max(folded.last, more.last);
}

}  // namespace claimsd::audit
