// shm_layout.h: the layout of the shared map of leases. SHM.md describes it and explains why it is
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
// All words are little-endian; sizes never change while the map exists. A token's lease is in the
// set given by its index. Written by the daemon's loop thread only, read by any process that
// received the descriptor. Readers must copy and check a value against the constants here before
// using it as a length or offset. Needs no libstdc++ at run time.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

namespace claimsd::proto {

inline constexpr std::uint64_t kMapMagic = 0x31'50'41'4d'44'4d'4c'43;  // "CLMDMAP1"
inline constexpr std::uint32_t kMapVersion = 4;

inline constexpr std::size_t kMapHeaderSize = 4096;  // one page
inline constexpr std::size_t kWays = 4;              // slots per set
inline constexpr std::size_t kSlotWords = 128;
inline constexpr std::size_t kSlotSize =
    kSlotWords * sizeof(std::uint64_t);  // 1 KiB, 16 cache lines

// Slots of a map: a power of two within these limits.
inline constexpr std::uint64_t kMinSlots = 64;
inline constexpr std::uint64_t kMaxSlots = std::uint64_t{1} << 20;

// Shorter tokens are not published: they might be guessed by trial against the map.
inline constexpr std::size_t kMinPublishedToken = 32;

// Readers ignore the map if the heartbeat is older than the limit: the daemon hangs or has died.
// Both are CLOCK_BOOTTIME.
inline constexpr std::uint64_t kHeartbeatInterval = 250'000'000;  // ns
inline constexpr std::uint64_t kHeartbeatLimit = 2'000'000'000;   // ns

// Random for each map and part of every key derivation: no two maps share a key or an index.
using MapId = std::array<std::uint8_t, 16>;

using MapWord = std::atomic<std::uint64_t>;
static_assert(sizeof(MapWord) == 8 && MapWord::is_always_lock_free);

// The words that change have their own cache line, which every hit reads.
struct MapHeader {
  std::uint64_t magic;       // kMapMagic
  std::uint32_t version;     // kMapVersion
  std::uint32_t slot_size;   // kSlotSize
  std::uint64_t slot_count;  // in all sets
  MapId map_id;
  std::array<std::uint8_t, 16> boot_id;  // random(4)
  std::uint64_t reserved;
  alignas(64) MapWord heartbeat;  // CLOCK_BOOTTIME, ns; 0: stopped for good
  MapWord epoch;                  // increased by "revoke all"; leases of other epochs are void
};
static_assert(sizeof(MapHeader) == 128);
static_assert(offsetof(MapHeader, heartbeat) == 64);
static_assert(sizeof(MapHeader) <= kMapHeaderSize);

// Words of a slot. All except the ciphertext are in its first two cache lines. A hit in the local
// table reads only the first word.
//
// `sequence` is twice the publication counter, or odd while the slot is being written. The counter
// belongs to the map, grows with every publication into any slot and is never reset, so no value
// recurs.
enum SlotWord : std::size_t {
  kSlotSequence = 0,
  kSlotIndex = 1,        // two words; 0, 0: empty
  kSlotConfirmedAt = 3,  // CLOCK_BOOTTIME, ns: start of the request that confirmed the token
  kSlotLeaseEnd = 4,     // CLOCK_BOOTTIME, ns
  kSlotHardEnd = 5,      // CLOCK_REALTIME, ns: expiry of the token itself; kNoHardEnd: none
  kSlotEpoch = 6,        // the header's at publication
  kSlotMeta = 7,         // size of the claims (low 32 bits), upstream (16), flags (16)
  kSlotTag = 8,          // two words: AES-GCM tag
  kSlotCiphertext = 10,
};

inline constexpr std::uint64_t kNoHardEnd = 0x7fff'ffff'ffff'ffff;
inline constexpr std::size_t kSlotClearWords = 8;  // authenticated, not encrypted
inline constexpr std::size_t kMaxSlotClaims =
    (kSlotWords - kSlotCiphertext) * sizeof(std::uint64_t);

// Claims are zero-padded to whole cipher blocks, because GCM processes a partial block byte by
// byte.
inline constexpr std::size_t kSealBlock = 16;
static_assert(kMaxSlotClaims % kSealBlock == 0);

// `claims` is at most kMaxSlotClaims.
constexpr std::size_t sealed_size(std::size_t claims) {
  return (claims + kSealBlock - 1) / kSealBlock * kSealBlock;
}

constexpr std::size_t map_size(std::uint64_t slots) {
  return kMapHeaderSize + slots * kSlotSize;
}

constexpr bool is_valid_slot_count(std::uint64_t slots) {
  return slots >= kMinSlots && slots <= kMaxSlots && (slots & (slots - 1)) == 0;
}

// The first slot of the set for an index.
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

// A copy of a slot. Readers check and decrypt only copies, never the live slot.
struct SlotCopy {
  std::array<std::uint64_t, kSlotWords> words;

  std::uint64_t publication() const { return words[kSlotSequence] / 2; }
  SlotMeta meta() const { return unpack_meta(words[kSlotMeta]); }
};

}  // namespace claimsd::proto
