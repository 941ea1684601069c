#include "client/src/local_lookup.h"

#include "client/src/answer.h"
#include "client/src/lease_reader.h"
#include "proto/limits.h"
#include "proto/messages.h"

namespace claimsd::client {
namespace {

// Tokens that are too short are never published.
bool may_be_published(const proto::Query& query) {
  return query.max_age_ms != 0 && query.token.size() >= proto::kMinPublishedToken &&
         query.token.size() <= proto::kMaxToken;
}

LookupResult lookup_result_from(const FoundLease& lease, const Moment& moment,
                                proto::ClaimsView claims) {
  return {.verdict = proto::Verdict::kValid,
          .source = proto::Source::kShared,
          .reason = Reason::kOk,
          .age_ms = age_ms(lease.terms, moment),
          .ttl_ms = ttl_ms(lease.terms, moment),
          .retry_after_ms = 0,
          .truncated = (lease.flags & proto::kAnswerTruncated) != 0,
          .claims = claims};
}

void forget(claimsd_answer** out) {
  if (out == nullptr) return;
  claimsd_answer_free(*out);
  *out = nullptr;
}

}  // namespace

void LocalLookup::create(const Options& options) {
  on_ = options.on;
  if (on_ && options.local_table) static_cast<void>(local_.create(options.local_entries));
}

bool LocalLookup::look_up(const proto::Query& query, claimsd_answer** out) {
  MapView map;
  if (!may_be_published(query) || !map_.look(map)) return false;
  const Moment moment = Moment::now();
  if (!is_beating(map.header->heartbeat.load(std::memory_order_acquire), moment.boot)) return false;
  const std::uint64_t epoch = map.header->epoch.load(std::memory_order_acquire);
  const std::uint64_t hash = local_.exists() ? local_.hash(query.token) : 0;
  const Sought sought{query.token, hash, query.max_age_ms};
  const bool found = (local_.exists() && local_.find(sought, map.generation, epoch, moment, out)) ||
                     find_shared(map, sought, moment, out);
  // The map may have been replaced meanwhile.
  if (!found || map_.still(map.generation)) return found;
  forget(out);
  return false;
}

bool LocalLookup::find_shared(const MapView& map, const Sought& sought, const Moment& moment,
                              claimsd_answer** out) {
  SealerPool::Lease sealer(sealers_);
  FoundLease lease;
  proto::ClaimsView claims;
  if (sealer.get() == nullptr ||
      !find_lease(map, *sealer.get(), sought.token, moment, sought.max_age_ms, lease) ||
      !read_claims(lease.block(), claims)) {
    return false;
  }
  claimsd_answer* const answer = make_answer(lookup_result_from(lease, moment, claims));
  if (!is_real(answer)) return false;
  if (local_.exists()) {
    local_.keep(sought, {map.generation, lease.sequence_word, lease.sequence, lease.terms}, moment,
                *answer);
  }
  sealer.count_hit();
  if (out != nullptr) {
    *out = answer;
  } else {
    claimsd_answer_free(answer);
  }
  return true;
}

void LocalLookup::abandon() {
  map_.abandon();
  sealers_.abandon();
}

void LocalLookup::count(claimsd_statistics& out) const {
  out.local_hits = local_.hits();
  out.shared_hits = sealers_.hits();
  out.maps = map_.taken();
  out.map_slots = map_.slot_count();
  out.local_entries = local_.entries();
  out.local_bytes = local_.bytes();
  const MapState state = on_ ? map_.state() : MapState::kOff;
  out.map_in_use = state == MapState::kInUse ? 1 : 0;
  out.map_text = sentence_of(state);
}

}  // namespace claimsd::client
