// local_table.h: a cache of answers that this process has decrypted from the map.
//
// Sets of four entries; a set has a lock of its own, a spin of a hundred nanoseconds at most that
// gives up rather than wait for a thread that sleeps: then the map is asked. An entry is one
// publication's: it is believed while the map shows the same generation, the slot the same
// sequence word and the lease's terms hold, and only for the very token, compared in whole. What is
// found to have ended is wiped where it is found.
//
// The memory is the table's own: as much as its entries need and no more, touched only as far as it
// is used, left out of core dumps, and zeroed by the kernel in a forked child (MADV_WIPEONFORK,
// madvise(2), Linux 4.14), to which zeros are an empty table. Where the kernel cannot do that there
// is no table. Any thread.
#pragma once

#include <atomic>

#include "client/include/claimsd.h"
#include "client/src/lease_terms.h"
#include "client/src/shared_map.h"
#include "client/src/token_hash.h"

namespace claimsd::client {

inline constexpr std::uint32_t kDefaultLocalEntries = 512;  // 1 MiB
inline constexpr std::uint32_t kMaxLocalEntries = 65536;    // 128 MiB

// What a lookup is for.
struct Sought {
  std::string_view token;
  std::uint64_t hash;  // by the table's own key
  std::uint32_t max_age_ms;
};

// From which publication an answer came.
struct Publication {
  std::uint64_t generation;
  const proto::MapWord* sequence_word;
  std::uint64_t sequence;
  LeaseTerms terms;
};

class LocalTable {
 public:
  LocalTable() = default;
  LocalTable(const LocalTable&) = delete;
  LocalTable& operator=(const LocalTable&) = delete;
  ~LocalTable();

  // False when there is no memory, randomness, or wiping on fork: then there is no table, of 0
  // entries, and only the counts may be asked for.
  // `entries` is rounded up to a power of two.
  bool create(std::uint32_t entries);
  bool exists() const { return memory_ != nullptr; }

  std::uint64_t hash(std::string_view token) const { return hash_(token); }

  // True if the answer is here and holds. It goes to `out`, unless that is null. `epoch` is the
  // map's.
  bool find(const Sought& sought, std::uint64_t generation, std::uint64_t epoch,
            const Moment& moment, claimsd_answer** out);

  // Keeps a copy of the answer, if it fits an entry. In place of the same token's, or of what ends
  // first in its set; what has ended there is wiped at this opportunity.
  void keep(const Sought& sought, const Publication& publication, const Moment& moment,
            const claimsd_answer& answer);

  // Over all sets since create(), or the fork.
  std::uint64_t hits() const;
  std::uint32_t entries() const { return sets_ * kWays; }
  std::size_t bytes() const { return memory_size_; }

 private:
  static constexpr std::uint32_t kWays = 4;

  struct alignas(64) Set {
    std::atomic<std::uint32_t> taken;
    std::uint32_t unused;
    std::atomic<std::uint64_t> hits;  // written by its taker
    std::uint64_t hashes[kWays];      // 0: empty
  };
  struct Entry;
  class Hold;

  Set& set_of(std::uint64_t hash) const;
  Entry& entry(const Set& set, std::uint32_t way) const;
  void clear_ended(Set& set, std::uint64_t generation, const Moment& moment);
  std::uint32_t place_for(Set& set, const Sought& sought);
  void clear(Set& set, std::uint32_t way);

  TokenHash hash_;
  void* memory_ = nullptr;  // the sets, then their entries
  std::size_t memory_size_ = 0;
  std::uint32_t sets_ = 0;
};

}  // namespace claimsd::client
