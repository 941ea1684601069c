// answer.h: what became of a question, checked, and the heap object in which the caller gets it.
//
// A LookupResult is a view of a frame from the daemon, which is checked here and nowhere else: `valid`
// needs the verdict, the reason and a well-formed block of claims. An answer is one allocation that
// holds a copy with NUL-terminated strings; freeing it wipes it. It holds no pointers, so that the
// local table can keep it as bytes and hand out copies.
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
  proto::ClaimsView claims;  // empty unless valid
};

// What an Answer frame says; unavailable/protocol if it contradicts itself.
LookupResult lookup_result_of(const proto::Answer& answer);

inline bool is_recorded(const proto::Receipt& receipt) {
  return receipt.reason == static_cast<std::uint16_t>(Reason::kOk);
}

// Why a report has no record, of a receipt that is not kOk; unavailable/protocol if the reason
// would say something of a token.
LookupResult lookup_result_of(const proto::Receipt& receipt);

// What this side says without an answer: the reason decides the verdict.
LookupResult lookup_result_of(Reason reason);

// A block of claims, decoded, if C strings can be made of it.
bool read_claims(std::string_view block, proto::ClaimsView& out);

claimsd_result result_of(proto::Verdict verdict);

// Never null: where there is no memory, one static answer says so (unavailable/no_resources).
claimsd_answer* make_answer(const LookupResult& found);

// False for the static one.
bool is_real(const claimsd_answer* answer);

// How many bytes an answer is, which copy_answer() takes: made out of the local table, with an age
// and a rest of its own. Null when there is no memory.
std::size_t size_of(const claimsd_answer& answer);
claimsd_answer* copy_answer(const void* bytes, std::size_t size, std::uint32_t age_ms,
                            std::uint32_t ttl_ms);

}  // namespace claimsd::client
