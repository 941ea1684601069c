// shm_layout.h: the shared map of leases, byte for byte. SHM.md is its prose and says why it is
// safe.
//
// clang-format off
//
//   0      64     128      4096                                            map_size(slots)
//   ┌──────┬──────┬────────┬──────┬──────┬──────┬──────┬──────┬─────┬──────┐
//   │ fixed│ live │ zeros  │ slot │ slot │ slot │ slot │ slot │ ... │ slot │   slot: 1 KiB
//   └──────┴──────┴────────┴──────┴──────┴──────┴──────┴──────┴─────┴──────┘
//    MapHeader              └─ a set: kWays slots ────┘
//
//   slot, in words of 8 bytes:
//   ┌──────────┬───────────┬─────────────┬───────────┬──────────┬───────┬──────┬─────┬────────────┐
//   │0 sequence│1-2 index  │3 confirmed  │4 lease end│5 hard end│6 epoch│7 meta│8-9  │10-127      │
//   │          │ (0,0 none)│  at         │           │          │       │      │ tag │ ciphertext │
//   └──────────┴───────────┴─────────────┴───────────┴──────────┴───────┴──────┴─────┴────────────┘
//    └─────────── in the clear, authenticated (kSlotClearWords) ──────────────┘
//
// clang-format on
//
// All words are little-endian; sizes are fixed for the map's life. A token's lease lies in the one
// set that its index names. Written by the daemon's loop thread alone, read by any process that was
// handed the descriptor. Nothing read from it is ever used as a length or an offset before it has
// been copied and checked against the constants here. Needs no libstdc++ at run time.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

namespace claimsd::proto {

inline constexpr std::uint64_t kMapMagic = 0x31'50'41'4d'44'4d'4c'43;  // "CLMDMAP1"
inline constexpr std::uint32_t kMapVersion = 3;

inline constexpr std::size_t kMapHeaderSize = 4096;  // a page
inline constexpr std::size_t kWays = 4;              // slots of a set
inline constexpr std::size_t kSlotWords = 128;
inline constexpr std::size_t kSlotSize =
    kSlotWords * sizeof(std::uint64_t);  // 1 KiB, 16 cache lines

// A map's slots: a power of two.
inline constexpr std::uint64_t kMinSlots = 64;
inline constexpr std::uint64_t kMaxSlots = std::uint64_t{1} << 20;

// An unguessable token has at least so many characters; a shorter one could be tried out against
// the map.
inline constexpr std::size_t kMinPublishedToken = 32;

// Older, and nobody believes the map: its daemon hangs, or has gone (both CLOCK_BOOTTIME).
inline constexpr std::uint64_t kHeartbeatInterval = 250'000'000;  // ns
inline constexpr std::uint64_t kHeartbeatLimit = 2'000'000'000;   // ns

// Random for each map; part of every key derivation, so that no two maps share a key or an index.
using MapId = std::array<std::uint8_t, 16>;

using MapWord = std::atomic<std::uint64_t>;
static_assert(sizeof(MapWord) == 8 && MapWord::is_always_lock_free);

// The words that change have a cache line of their own, which every hit reads.
struct MapHeader {
  std::uint64_t magic;       // kMapMagic
  std::uint32_t version;     // kMapVersion
  std::uint32_t slot_size;   // kSlotSize
  std::uint64_t slot_count;  // in all sets
  MapId map_id;
  std::array<std::uint8_t, 16> boot_id;  // random(4)
  std::uint64_t reserved;
  alignas(64) MapWord heartbeat;  // CLOCK_BOOTTIME, ns; 0: stopped for good
  MapWord epoch;                  // raised by "revoke all": leases of another epoch are void
};
static_assert(sizeof(MapHeader) == 128);
static_assert(offsetof(MapHeader, heartbeat) == 64);
static_assert(sizeof(MapHeader) <= kMapHeaderSize);

// Words of a slot. All but the ciphertext lie in its first two cache lines; what a hit in the local
// table looks at is the first word alone.
//
// `sequence` is twice the publication counter while the slot holds still, and odd while it is being
// written. The counter is the map's own, never reset, and grows with every publication into any
// slot: a value never comes round again.
enum SlotWord : std::size_t {
  kSlotSequence = 0,
  kSlotIndex = 1,        // two words of the token's index; 0, 0: empty
  kSlotConfirmedAt = 3,  // CLOCK_BOOTTIME, ns: when the request began that confirmed the token
  kSlotLeaseEnd = 4,     // CLOCK_BOOTTIME, ns
  kSlotHardEnd = 5,      // CLOCK_REALTIME, ns: the token's own end; kNoHardEnd: it has none
  kSlotEpoch = 6,        // the header's when it was published
  kSlotMeta = 7,         // size of the claims (low 32 bits), upstream (16), flags (16)
  kSlotTag = 8,          // two words: AES-GCM's
  kSlotCiphertext = 10,
};

inline constexpr std::uint64_t kNoHardEnd = 0x7fff'ffff'ffff'ffff;
inline constexpr std::size_t kSlotClearWords = 8;  // authenticated, not encrypted
inline constexpr std::size_t kMaxSlotClaims =
    (kSlotWords - kSlotCiphertext) * sizeof(std::uint64_t);

// Claims are sealed in whole blocks of the cipher, filled up with zeros: GCM takes a broken block
// byte by byte.
inline constexpr std::size_t kSealBlock = 16;
static_assert(kMaxSlotClaims % kSealBlock == 0);

// Of at most kMaxSlotClaims.
constexpr std::size_t sealed_size(std::size_t claims) {
  return (claims + kSealBlock - 1) / kSealBlock * kSealBlock;
}

constexpr std::size_t map_size(std::uint64_t slots) {
  return kMapHeaderSize + slots * kSlotSize;
}

constexpr bool is_valid_slot_count(std::uint64_t slots) {
  return slots >= kMinSlots && slots <= kMaxSlots && (slots & (slots - 1)) == 0;
}

// The first slot of the set in which an index lies.
constexpr std::uint64_t first_slot_of(std::uint64_t index_word, std::uint64_t slots) {
  return (index_word & (slots / kWays - 1)) * kWays;
}

struct SlotMeta {
  std::uint32_t size = 0;
  std::uint16_t upstream = 0;
  std::uint16_t flags = 0;  // as in Answer
};

constexpr std::uint64_t pack(SlotMeta meta) {
  return meta.size | (std::uint64_t{meta.upstream} << 32) | (std::uint64_t{meta.flags} << 48);
}

constexpr SlotMeta unpack_meta(std::uint64_t word) {
  return {static_cast<std::uint32_t>(word), static_cast<std::uint16_t>(word >> 32),
          static_cast<std::uint16_t>(word >> 48)};
}

// A slot, copied out of the map: what is checked and opened is never the live one.
struct SlotCopy {
  std::array<std::uint64_t, kSlotWords> words;

  std::uint64_t publication() const { return words[kSlotSequence] / 2; }
  SlotMeta meta() const { return unpack_meta(words[kSlotMeta]); }
};

}  // namespace claimsd::proto
