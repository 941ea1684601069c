// revocation_guard.h: may this token, this user, this confirmation still count? The revocations,
// asked in the terms of an answer: tokens and claims instead of fingerprints.
//
// Fingerprints cost an HMAC each, so they are made only while there are rules that could match.
// Pure; owned by ClaimsService; loop thread.
#pragma once

#include <optional>
#include <string_view>

#include "daemon/claims/revocation/revocations.h"

namespace claimsd::daemon {

struct RevocationPolicy {
  std::size_t max_rules = 100'000;
  Duration keep = std::chrono::hours(8760);        // rules by `iat`: longer than any token lives
  Duration undated = std::chrono::hours(24);       // tokens that don't say when they were issued
  Duration margin = std::chrono::minutes(5);       // a rule outlives what it is about by so much
  Duration forget_for = std::chrono::minutes(15);  // longer than any confirmation is kept
};

class RevocationGuard {
 public:
  RevocationGuard(const RevocationPolicy& policy, Fingerprinter& fingerprinter)
      : policy_(policy), fingerprinter_(fingerprinter), rules_(policy.max_rules) {}

  bool denies_token(std::string_view token, const Now& now) const;
  // `claims`: a block (proto/claims_block.h). One that cannot be read is denied.
  bool denies_claims(UpstreamId upstream, std::string_view claims, WallTime issued_at,
                     const Now& now) const;
  // Was it purged? Then it may be passed on to those who asked before, and not kept.
  bool forgets(UpstreamId upstream, std::string_view claims, BootTime confirmed_at) const;

  const RevocationPolicy& policy() const { return policy_; }
  // For rules to come; how many there may be is decided at the start.
  void set_policy(const RevocationPolicy& policy) { policy_ = policy; }
  Revocations& rules() { return rules_; }
  const Revocations& rules() const { return rules_; }

 private:
  std::optional<Fingerprint> user_of(UpstreamId upstream, std::string_view claims) const;

  RevocationPolicy policy_;
  Fingerprinter& fingerprinter_;
  Revocations rules_;
};

}  // namespace claimsd::daemon
