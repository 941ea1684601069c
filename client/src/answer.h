// answer.h: validates the daemon's answers and builds the heap object that the caller gets.
//
// A LookupResult is a view of a frame from the daemon. The frame is validated here and nowhere
// else: `valid` needs the verdict, the reason and a well-formed block of claims. An answer is one
// allocation with NUL-terminated copies; freeing wipes it. It contains no pointers, so the local
// table can store it as bytes and return copies. Pure functions; any thread.
#pragma once

#include "client/include/claimsd.h"
#include "client/src/outcome.h"
#include "proto/claims_block.h"

namespace claimsd::client {

struct LookupResult {
  proto::Verdict verdict = proto::Verdict::kUnavailable;
  proto::Source source = proto::Source::kNone;
  Reason reason = Reason::kInternal;
  std::uint32_t age_ms = 0;
  std::uint32_t ttl_ms = 0;
  std::uint32_t retry_after_ms = 0;
  bool truncated = false;    // the claims' JSON is reduced to id, email and roles
  proto::ClaimsView claims;  // empty unless valid
};

// The content of an Answer frame; unavailable/protocol if it contradicts itself.
LookupResult lookup_result_of(const proto::Answer& answer);

inline bool is_recorded(const proto::Receipt& receipt) {
  return receipt.reason == static_cast<std::uint16_t>(Reason::kOk);
}

// Why a report was not recorded, for a receipt other than kOk; unavailable/protocol if the reason
// is about a token.
LookupResult lookup_result_of(const proto::Receipt& receipt);

// A result that the library makes itself: the reason determines the verdict.
LookupResult lookup_result_of(Reason reason);

// Decodes a block of claims. False if it is malformed or contains a NUL byte.
bool read_claims(std::string_view block, proto::ClaimsView& out);

claimsd_result result_of(proto::Verdict verdict);

// Never null: out of memory returns a static answer (unavailable/no_resources).
claimsd_answer* make_answer(const LookupResult& found);

// False for the static one.
bool is_real(const claimsd_answer* answer);

// The size of an answer in bytes, and a copy of one stored in the local table with a new age and
// TTL. Null if out of memory.
std::size_t size_of(const claimsd_answer& answer);
claimsd_answer* copy_answer(const void* bytes, std::size_t size, std::uint32_t age_ms,
                            std::uint32_t ttl_ms);

}  // namespace claimsd::client
