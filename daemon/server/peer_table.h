// peer_table.h: activity per peer, keyed by the uid that the kernel recorded. Owned by Server; loop
// thread.
//
// Shown to operators, not exported as metrics: running as another uid must not create a time
// series. A session adds to its peer's row directly, so a query costs one addition. A row keeps its
// address while its uid has connections. Later it is kept only while the table has at most
// kMaxRows rows; a row that was dropped starts at 0 again.
#pragma once

#include <cstdint>
#include <unordered_map>

#include "proto/vocabulary.h"

namespace claimsd::server {

struct PeerRow {
  std::uint32_t uid = 0;
  std::uint32_t connections = 0;
  std::uint64_t queries = 0;
  std::uint64_t invalid = 0;       // answers
  std::uint64_t unavailable = 0;   // answers
  std::uint64_t rate_limited = 0;  // of these, rate limited
  std::size_t rejected = 0;        // rate limited since reset_rejected()

  // After this many rate-limited answers to one uid, over all of its connections, further ones
  // pause for a moment. A flood is slowed down however many connections it uses, and the CPU stays
  // free for other uids.
  static constexpr std::size_t kRejectionsPerPause = 128;

  // Adds the rate-limited answers of one connection's last time slice. True: the connection must
  // pause.
  bool refuse(std::size_t count) {
    rejected += count;
    return count > 0 && rejected >= kRejectionsPerPause;
  }

  // Counts an answer other than kOk.
  void count_failure(proto::Reason reason) {
    ++(proto::verdict_of(reason) == proto::Verdict::kInvalid ? invalid : unavailable);
    if (proto::exceeds_rate_limit(reason)) ++rate_limited;
  }
};

class PeerTable {
 public:
  static constexpr std::size_t kMaxRows = 256;

  PeerRow& enter(std::uint32_t uid) {
    PeerRow& row = rows_[uid];
    row.uid = uid;
    ++row.connections;
    return row;
  }
  void leave(std::uint32_t uid) {
    const auto found = rows_.find(uid);
    if (found == rows_.end() || --found->second.connections > 0) return;
    if (rows_.size() > kMaxRows) rows_.erase(found);
  }
  // Starts counting at 0 again after a pause.
  void reset_rejected() {
    for (auto& [uid, row] : rows_) row.rejected = 0;
  }
  const std::unordered_map<std::uint32_t, PeerRow>& rows() const { return rows_; }

 private:
  std::unordered_map<std::uint32_t, PeerRow> rows_;  // its nodes keep their addresses
};

}  // namespace claimsd::server
