// verify.h: detects tampering with the log. Follows the chain over all segments, compares it with
// the anchors, and reports the first deviation and its kind.
//
// Works on a copied directory, without a daemon or write access, in constant memory. Each kind has
// its own evidence:
//
//   change       a record or link does not follow, but the records after it follow from it
//   removal      sequences are missing, or later records have lower numbers than before
//   insertion    later records have higher numbers than before
//   reordering   the missing sequence is found elsewhere
//   truncation   the segment states a later end, or that another segment follows
//   deletion     a log that must exist is missing or was restarted
//   rollback     the log is consistent but ends before its anchors: an old copy
//   forgery      an anchor without a trusted signature
//
// Without anchors some tampering cannot be detected: a log rewritten completely, one truncated with
// its head adjusted, and an old copy. `cannot_tell` lists these.
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

namespace claimsd::audit {

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

enum class Tamper : std::uint8_t {
#define CLAIMSD_AUDIT_TAMPER_ENUM(identifier, name) identifier,
  CLAIMSD_AUDIT_TAMPERS(CLAIMSD_AUDIT_TAMPER_ENUM)
#undef CLAIMSD_AUDIT_TAMPER_ENUM
};

std::string_view name_of(Tamper kind);

struct Finding {
  Tamper kind = Tamper::kChange;
  Sequence at = 0;  // first bad sequence
  std::string sentence;
};

struct Verification {
  std::optional<Finding> finding;  // empty: no tampering found
  Sequence first = 0;
  Sequence last = 0;  // last sequence that follows from the first
  Link link{};        // link of `last`
  std::uint64_t records = 0;
  std::uint64_t events = 0;  // of the whole log
  std::uint64_t bytes = 0;   // of the records
  std::uint64_t anchors = 0;
  Sequence anchored = 0;  // an anchor confirms everything up to here
  std::vector<std::string> notes;
  std::vector<std::string> cannot_tell;
};

struct VerifyOptions {
  std::string directory;
  std::optional<Anchors> anchors;
  // Skip the newest segment, because a daemon is writing to it.
  bool without_newest = false;
  // Called periodically with the last valid sequence and the fraction of the bytes done.
  std::function<void(Sequence, double)> progress;
  // If set, holds the last valid sequence, for an observer in another process.
  std::atomic<Sequence>* reached = nullptr;
};

// For an intact log: the kinds of tampering that only a later anchor could rule out.
std::vector<std::string> what_is_unverified(const Verification& done);

// Fails only if the directory cannot be read at all.
Result<Verification> verify_audit(const VerifyOptions& options);

// The same in a child process. LMDB trusts its files, so one with modified pages can crash it; the
// crash is then the finding. `progress` is called in this process.
Result<Verification> verify_audit_in_child(const VerifyOptions& options);

}  // namespace claimsd::audit
