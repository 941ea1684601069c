// record.h: one audit record: its fields and its bytes. FORMAT.md is the prose.
//
// Pure; any thread. A decoder that no bytes can crash: what does not follow the format exactly is
// refused, so a record has one encoding and its hash stands for its meaning.
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

namespace claimsd::daemon {

// Names a token without holding it: HMAC-SHA-256 under a key of this host's, cut to 16 bytes
// (fingerprint.h).
using AuditFingerprint = std::array<std::uint8_t, 16>;

using AuditSequence = std::uint64_t;  // of the first record: 1

// In bytes. Longer texts are cut when a record is encoded, which a flag says: a record that needs
// more than an LMDB page half would make the search for free pages slow (erigon #1213).
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

// Who asked: SO_PEERCRED of the connection. A record that stands for several processes has pid 0.
struct AuditPeer {
  std::uint32_t uid = 0;
  std::uint32_t gid = 0;
  std::int32_t pid = 0;
  std::string comm;
  bool operator==(const AuditPeer&) const = default;
};

inline bool operator==(const Now& one, const Now& other) {
  return one.boot == other.boot && one.wall == other.wall;
}

struct AuditRecord {
  AuditSequence sequence = 0;  // given by the log
  AuditEvent event = AuditEvent::kGap;
  std::uint8_t verdict = 0;  // proto::Verdict; 0: the event has none
  proto::Source source = proto::Source::kNone;
  proto::Reason reason = proto::Reason::kOk;
  std::uint16_t status = 0;  // of the Auth API's answer; 0: none
  Now at{};                  // when it happened; of a folded one: the first time
  Duration duration{};
  std::optional<AuditFingerprint> token;
  AuditPeer peer;

  // A folded record stands for `count` events alike, the last of them at `last`. Never 0.
  std::uint64_t count = 1;
  WallTime last{};       // `at.wall` where count is 1
  bool various = false;  // tokens, processes and routes differed; those of the first are left out
  bool cut = false;      // a text was longer than its limit

  std::string user;      // the id claim, where it is known
  std::string upstream;  // its name in the configuration
  std::string method;    // what a client reports, as the rest
  std::string route;
  std::string roles;   // that were required, separated by spaces
  std::string detail;  // for people; of some events a machine reads it, too (FORMAT.md)

  bool operator==(const AuditRecord&) const = default;
};

// At most kMaxAuditRecord bytes.
std::string encode_audit_record(const AuditRecord& record);

// Nothing where the bytes are not exactly one record of a version this reader knows.
std::optional<AuditRecord> decode_audit_record(std::string_view bytes);

// The sequence inside the bytes, for who only follows the chain; nothing where they are too short.
std::optional<AuditSequence> audit_sequence_of(std::string_view bytes);

// One line without its end, whatever bytes are in the record: "2026-11-23T15:04:05.123456Z #42
// refused …".
std::string audit_line(const AuditRecord& record);

// RFC 3339 in UTC with microseconds.
std::string audit_time_text(WallTime time);

std::string hex_text(std::string_view bytes);
// Nothing where it is not pairs of hexadecimal digits.
std::optional<std::string> from_hex(std::string_view text);

}  // namespace claimsd::daemon
