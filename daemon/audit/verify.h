// verify.h: was the log touched? Follows the chain over all segments, holds it against anchors, and
// says which kind of thing happened first, and where.
//
// Works on a copied directory, without a daemon and without write access. Memory stays flat. Each
// kind is told by what it leaves:
//   change       a record or link that does not follow, while those after it follow from it
//   removal      sequences are missing, or what follows is numbered lower than it was
//   insertion    what follows is numbered higher than it was
//   reordering   the missing sequence stands elsewhere
//   truncation   the segment says it went further, or that another follows
//   deletion     there is no log where there must be one, or it was begun anew
//   rollback     the log agrees with itself and is behind its anchors: an old copy
//   forgery      an anchor that nobody trustworthy signed
// Without anchors, a log that was wholly written anew, one that was cut with its own statement
// adjusted, and an old copy look well: `cannot_tell` says so.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/audit/anchors.h"
#include "daemon/audit/segment.h"
#include "daemon/base/result.h"

namespace claimsd::daemon {

// K(identifier, name).
// clang-format off
#define CLAIMSD_AUDIT_TAMPERS(K) \
  K(kChange,     "change")       \
  K(kRemoval,    "removal")      \
  K(kInsertion,  "insertion")    \
  K(kReordering, "reordering")   \
  K(kTruncation, "truncation")   \
  K(kDeletion,   "deletion")     \
  K(kRollback,   "rollback")     \
  K(kForgery,    "forgery")
// clang-format on

enum class AuditTamper : std::uint8_t {
#define CLAIMSD_AUDIT_TAMPER_ENUM(identifier, name) identifier,
  CLAIMSD_AUDIT_TAMPERS(CLAIMSD_AUDIT_TAMPER_ENUM)
#undef CLAIMSD_AUDIT_TAMPER_ENUM
};

std::string_view name_of(AuditTamper kind);

struct AuditFinding {
  AuditTamper kind = AuditTamper::kChange;
  AuditSequence at = 0;  // the first bad one
  std::string sentence;
};

struct AuditVerification {
  std::optional<AuditFinding> finding;  // nothing: well
  AuditSequence first = 0;
  AuditSequence last = 0;  // that follows from the first
  AuditLink link{};        // of that one
  std::uint64_t records = 0;
  std::uint64_t events = 0;  // of the whole log
  std::uint64_t bytes = 0;   // of records
  std::uint64_t anchors = 0;
  AuditSequence anchored = 0;  // everything up to here is held by an anchor
  std::vector<std::string> notes;
  std::vector<std::string> cannot_tell;
};

struct AuditVerifyOptions {
  std::string directory;
  std::optional<AuditAnchors> anchors;
  // The daemon writes to the newest segment right now: leave it out.
  bool without_newest = false;
  // Called now and then with the last good sequence and the share of the bytes done.
  std::function<void(AuditSequence, double)> progress;
  // Where the last good sequence is kept up to date, for who looks on from another process.
  std::atomic<AuditSequence>* reached = nullptr;
};

// What an anchor further on could tell, and nothing there is can: of a log that is whole.
std::vector<std::string> what_nobody_can_tell(const AuditVerification& done);

// Fails only where the directory cannot be read at all.
Result<AuditVerification> verify_audit(const AuditVerifyOptions& options);

// The same in a process of its own: LMDB trusts its files, and one whose pages somebody changed can
// crash it. That is then the finding. `progress` is called in this process.
Result<AuditVerification> verify_audit_apart(const AuditVerifyOptions& options);

}  // namespace claimsd::daemon
