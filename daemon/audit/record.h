// record.h: the fields and the encoding of one audit record. FORMAT.md, "A record", defines the
// bytes.
//
// Pure; any thread. The decoder accepts arbitrary bytes and rejects anything that does not match
// the format exactly. A record therefore has one encoding, and its hash stands for its meaning.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "daemon/audit/events.h"
#include "daemon/base/clock.h"
#include "daemon/claims/parse/token.h"

namespace claimsd::audit {

// Identifies a token without storing it: HMAC-SHA-256 under a key of this host, truncated to 16
// bytes (digest.h).
using Fingerprint = std::array<std::uint8_t, 16>;

using Sequence = std::uint64_t;  // starts at 1

// Limits in bytes. Longer texts are truncated on encoding and a flag is set. A record larger than
// half an LMDB page would make the search for free pages slow (erigon #1213).
inline constexpr std::size_t kMaxAuditComm = 16;  // TASK_COMM_LEN of Linux
inline constexpr std::size_t kMaxAuditUser = 256;
inline constexpr std::size_t kMaxAuditUpstream = 64;
inline constexpr std::size_t kMaxAuditMethod = 16;
inline constexpr std::size_t kMaxAuditRoute = 256;
inline constexpr std::size_t kMaxAuditRoles = 512;
inline constexpr std::size_t kMaxAuditDetail = 512;

inline constexpr std::size_t kAuditHeaderSize = 72;
inline constexpr std::size_t kMaxAuditRecord = kAuditHeaderSize + 16 + 7 * 2 + kMaxAuditComm +
                                               kMaxAuditUser + kMaxAuditUpstream + kMaxAuditMethod +
                                               kMaxAuditRoute + kMaxAuditRoles + kMaxAuditDetail;
static_assert(kMaxAuditRecord + 32 < 2000, "with its hash: DESIGN, limits are named");

// The client process: SO_PEERCRED of the connection. pid is 0 if the record covers several
// processes.
struct Peer {
  std::uint32_t uid = 0;
  std::uint32_t gid = 0;
  std::int32_t pid = 0;
  std::string comm;
  bool operator==(const Peer&) const = default;
};

struct Record {
  Sequence sequence = 0;  // assigned by the log
  Event event = Event::kGap;
  std::uint8_t verdict = 0;  // proto::Verdict; 0: none
  proto::Source source = proto::Source::kNone;
  proto::Reason reason = proto::Reason::kOk;
  std::uint16_t status = 0;  // HTTP status of the Auth API; 0: none
  Now at{};                  // when it happened; for a folded record: the first time
  Duration duration{};
  std::optional<Fingerprint> token;
  Peer peer;

  // A folded record stands for `count` equal events, the last of them at `last`. Never 0.
  std::uint64_t count = 1;
  WallTime last{};       // equal to `at.wall` if count is 1
  bool various = false;  // tokens, processes and routes differed and are omitted
  bool cut = false;      // a text exceeded its limit and was truncated

  std::string user;      // the id claim, if known
  std::string upstream;  // its name in the configuration
  std::string method;    // this and the fields below are reported by clients
  std::string route;
  std::string roles;   // required roles, separated by spaces
  std::string detail;  // for people; some events have a machine-readable form (FORMAT.md)

  bool operator==(const Record&) const = default;
};

// Returns at most kMaxAuditRecord bytes.
std::string encode_audit_record(const Record& record);

// Nothing unless the bytes are exactly one record of a known version.
std::optional<Record> decode_audit_record(std::string_view bytes);

// The sequence alone, for callers that only follow the chain. Nothing if the bytes are too short.
std::optional<Sequence> audit_sequence_of(std::string_view bytes);

// One line without a newline, with every text escaped: "2026-11-23T15:04:05.123456Z #42 refused …".
std::string audit_line(const Record& record);

// RFC 3339 in UTC with microseconds.
std::string audit_time_text(WallTime time);

// Folding: one record that stands for several events.
// The record that stands for `first` and for events whose tokens, processes and routes differ.
Record various(const Record& first);
// Lets `folded` stand for `more` as well.
void absorb(Record& folded, const Record& more);

}  // namespace claimsd::audit
