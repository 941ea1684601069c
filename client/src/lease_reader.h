// lease_reader.h: finds a token's lease in the map, copies it out and opens it.
//
// The copy is taken word by word under the slot's sequence (Boehm, "Can seqlocks get along with
// programming language memory models?", 2012); everything that is checked or used is checked and
// used in the copy. A writer at work, or killed at work, costs a few tries and then the socket. No
// allocation, no system call; any thread, with a Sealer of its own.
#pragma once

#include "client/src/lease_terms.h"
#include "client/src/shared_map.h"
#include "proto/sealing.h"

namespace claimsd::client {

// A decrypted lease in force. Wiped on destruction.
struct FoundLease {
  LeaseTerms terms;
  const proto::MapWord* sequence_word = nullptr;  // in the map
  std::uint64_t sequence = 0;                     // its value at the copy
  std::uint16_t flags = 0;                        // as in Answer
  std::size_t claims_size = 0;
  char claims[proto::kMaxSlotClaims];

  FoundLease() {}
  FoundLease(const FoundLease&) = delete;
  FoundLease& operator=(const FoundLease&) = delete;
  ~FoundLease();

  std::string_view block() const { return {claims, claims_size}; }
};

// Copies the slot's clear part, tag and ciphertext. False if a writer is changing the slot or its
// sizes are invalid.
bool copy_slot(const proto::MapWord* slot, proto::SlotCopy& copy);

bool find_lease(const MapView& map, proto::Sealer& sealer, std::string_view token,
                const Moment& moment, std::uint32_t max_age_ms, FoundLease& found);

}  // namespace claimsd::client
