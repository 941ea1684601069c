// peer_table.h: who asks how much, by the user id that the kernel recorded. For people, and not for
// metrics: nobody can make a series by running as another user.
//
// A session adds to its peer's row directly, so a question costs one addition. A row stays where it
// is for as long as its user has connections, and after that while there are no more than
// kMostRows; counters of one that went begin at 0 again. Loop thread; owned by Server.
#pragma once

#include <cstdint>
#include <unordered_map>

#include "proto/vocabulary.h"

namespace claimsd::daemon {

struct PeerRow {
  std::uint32_t uid = 0;
  std::uint32_t connections = 0;
  std::uint64_t questions = 0;
  std::uint64_t invalid = 0;      // answers
  std::uint64_t unavailable = 0;  // answers
  std::uint64_t over_budget = 0;  // of these
  std::size_t refused = 0;        // over budget, since forget_refused()

  // After so many over-budget answers to all of a user's connections, those that go on wait for a
  // moment: a flood goes at a walking pace however many connections it has, and leaves the
  // processor to others.
  static constexpr std::size_t kRefusalsPerPause = 128;

  // Adds what a turn of one connection was refused. True: that one has to pause.
  bool refuse(std::size_t count) {
    refused += count;
    return count > 0 && refused >= kRefusalsPerPause;
  }

  // An answer other than kOk.
  void count_trouble(proto::Reason reason) {
    ++(proto::verdict_of(reason) == proto::Verdict::kInvalid ? invalid : unavailable);
    if (reason == proto::Reason::kOverBudget) ++over_budget;
  }
};

class PeerTable {
 public:
  static constexpr std::size_t kMostRows = 256;

  PeerRow& enter(std::uint32_t uid) {
    PeerRow& row = rows_[uid];
    row.uid = uid;
    ++row.connections;
    return row;
  }
  void leave(std::uint32_t uid) {
    const auto found = rows_.find(uid);
    if (found == rows_.end() || --found->second.connections > 0) return;
    if (rows_.size() > kMostRows) rows_.erase(found);
  }
  // A pause is over.
  void forget_refused() {
    for (auto& [uid, row] : rows_) row.refused = 0;
  }
  const std::unordered_map<std::uint32_t, PeerRow>& rows() const { return rows_; }

 private:
  std::unordered_map<std::uint32_t, PeerRow> rows_;  // its nodes do not move
};

}  // namespace claimsd::daemon
