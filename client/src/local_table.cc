#include "client/src/local_table.h"

#include <sys/mman.h>

#include <cstring>

#include "client/src/answer.h"
#include "client/src/random.h"

namespace claimsd::client {
namespace {

constexpr int kSpins = 32;
constexpr std::size_t kEntrySize = 2048;

void rest_a_moment() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

constexpr std::size_t padded(std::size_t size) {
  return (size + 7) / 8 * 8;
}

}  // namespace

// The token, padded to eight bytes, and the answer lie in `bytes`.
struct LocalTable::Entry {
  Publication publication;
  std::uint32_t token_size;
  std::uint32_t answer_size;
  char bytes[kEntrySize - sizeof(Publication) - 2 * sizeof(std::uint32_t)];

  static bool fits(std::size_t token, std::size_t answer) {
    return padded(token) + answer <= sizeof bytes;
  }
  std::string_view token() const { return {bytes, token_size}; }
  const char* answer() const { return bytes + padded(token_size); }
  void put(std::string_view token, const claimsd_answer& answer) {
    token_size = static_cast<std::uint32_t>(token.size());
    answer_size = static_cast<std::uint32_t>(size_of(answer));
    std::memcpy(bytes, token.data(), token.size());
    std::memcpy(bytes + padded(token.size()), static_cast<const void*>(&answer), answer_size);
  }
  void wipe() { explicit_bzero(bytes, padded(token_size) + answer_size); }

  bool shows_the_same() const {
    return publication.sequence_word->load(std::memory_order_acquire) == publication.sequence;
  }
};

// A set, for the length of the scope; false when another thread keeps it for longer than a look
// takes.
class LocalTable::Hold {
 public:
  explicit Hold(Set& set) : set_(set), held_(take()) {}
  Hold(const Hold&) = delete;
  Hold& operator=(const Hold&) = delete;
  ~Hold() {
    if (held_) set_.taken.store(0, std::memory_order_release);
  }
  explicit operator bool() const { return held_; }

 private:
  bool take() {
    for (int i = 0; i < kSpins; ++i) {
      if (set_.taken.load(std::memory_order_relaxed) == 0 &&
          set_.taken.exchange(1, std::memory_order_acquire) == 0) {
        return true;
      }
      rest_a_moment();
    }
    return false;
  }

  Set& set_;
  bool held_;
};

LocalTable::~LocalTable() {
  if (memory_ == nullptr) return;
  for (std::uint32_t i = 0; i < sets_; ++i) {
    Set& set = static_cast<Set*>(memory_)[i];
    for (std::uint32_t way = 0; way < kWays; ++way) {
      if (set.hashes[way] != 0) clear(set, way);
    }
  }
  munmap(memory_, memory_size_);
}

bool LocalTable::create(std::uint32_t entries) {
  static_assert(sizeof(Entry) == kEntrySize && sizeof(Set) == 64);
  TokenHash::Key key;
  if (!read_random(&key, sizeof key)) return false;
  std::uint32_t sets = 1;
  while (sets * kWays < entries) sets *= 2;
  const std::size_t size = sets * (sizeof(Set) + kWays * kEntrySize);
  void* const memory =
      mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) return false;
  if (madvise(memory, size, MADV_WIPEONFORK) != 0 || madvise(memory, size, MADV_DONTDUMP) != 0) {
    munmap(memory, size);
    return false;
  }
  hash_ = TokenHash(key);
  memory_ = memory;
  memory_size_ = size;
  sets_ = sets;
  return true;
}

LocalTable::Set& LocalTable::set_of(std::uint64_t hash) const {
  return static_cast<Set*>(memory_)[(hash >> 32) & (sets_ - 1)];
}

LocalTable::Entry& LocalTable::entry(const Set& set, std::uint32_t way) const {
  auto* const sets = static_cast<Set*>(memory_);
  auto* const entries = reinterpret_cast<Entry*>(sets + sets_);
  return entries[static_cast<std::size_t>(&set - sets) * kWays + way];
}

void LocalTable::clear(Set& set, std::uint32_t way) {
  entry(set, way).wipe();
  set.hashes[way] = 0;
}

bool LocalTable::find(const Sought& sought, std::uint64_t generation, std::uint64_t epoch,
                      const Moment& moment, claimsd_answer** out) {
  Set& set = set_of(sought.hash);
  const Hold hold(set);
  if (!hold) return false;
  for (std::uint32_t way = 0; way < kWays; ++way) {
    if (set.hashes[way] != sought.hash) continue;
    Entry& found = entry(set, way);
    if (found.token() != sought.token) continue;
    const Publication& from = found.publication;
    if (from.generation != generation || !found.shows_the_same() ||
        !in_force(from.terms, epoch, moment, CLAIMSD_ANY_AGE)) {
      clear(set, way);
      return false;
    }
    if (!is_young(from.terms.confirmed_at, moment, sought.max_age_ms)) return false;
    if (out != nullptr) {
      *out = copy_answer(found.answer(), found.answer_size, age_ms(from.terms, moment),
                         ttl_ms(from.terms, moment));
      if (*out == nullptr) return false;
    }
    set.hits.store(set.hits.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
    return true;
  }
  return false;
}

void LocalTable::clear_ended(Set& set, std::uint64_t generation, const Moment& moment) {
  for (std::uint32_t way = 0; way < kWays; ++way) {
    if (set.hashes[way] == 0) continue;
    const Publication& from = entry(set, way).publication;
    if (from.generation != generation || from.terms.lease_end <= moment.boot) clear(set, way);
  }
}

// Wipes what it makes room of.
std::uint32_t LocalTable::place_for(Set& set, const Sought& sought) {
  std::uint32_t place = 0;
  std::uint64_t first_end = UINT64_MAX;
  for (std::uint32_t way = 0; way < kWays; ++way) {
    const bool is_used = set.hashes[way] != 0;
    const Entry& there = entry(set, way);
    if (is_used && set.hashes[way] == sought.hash && there.token() == sought.token) {
      place = way;
      break;
    }
    const std::uint64_t end = is_used ? there.publication.terms.lease_end : 0;
    if (end < first_end) {
      first_end = end;
      place = way;
    }
  }
  if (set.hashes[place] != 0) clear(set, place);
  return place;
}

void LocalTable::keep(const Sought& sought, const Publication& publication, const Moment& moment,
                      const claimsd_answer& answer) {
  if (!Entry::fits(sought.token.size(), size_of(answer))) return;
  Set& set = set_of(sought.hash);
  const Hold hold(set);
  if (!hold) return;
  clear_ended(set, publication.generation, moment);
  const std::uint32_t way = place_for(set, sought);
  Entry& here = entry(set, way);
  here.publication = publication;
  here.put(sought.token, answer);
  set.hashes[way] = sought.hash;
}

std::uint64_t LocalTable::hits() const {
  std::uint64_t sum = 0;
  const Set* const sets = static_cast<const Set*>(memory_);
  for (std::uint32_t i = 0; i < sets_; ++i) sum += sets[i].hits.load(std::memory_order_relaxed);
  return sum;
}

}  // namespace claimsd::client
