// revocation_guard.h: checks tokens, claims and confirmations against the revocation rules.
//
// Computes the fingerprints that the rules use. Each costs an HMAC, so they are computed only if
// there are rules that could match. Pure; owned by ClaimsService; loop thread.
#pragma once

#include <optional>
#include <string_view>

#include "daemon/claims/revocation/revocations.h"

namespace claimsd::claims {

struct RevocationPolicy {
  std::size_t max_rules = 100'000;
  Duration keep = std::chrono::hours(8760);       // rules by `iat`: longer than any token lives
  Duration without_iat = std::chrono::hours(24);  // for tokens without `iat`
  Duration margin = std::chrono::minutes(5);      // rules outlast what they are about by this much
  // Lifetime of purge rules; longer than any confirmation is cached.
  Duration purge_window = std::chrono::minutes(15);
  HostId author;  // of new rules, if they are for the whole fleet; zeros: they are for this host
};

class RevocationGuard {
 public:
  // `host`: with a fleet, the fingerprints of rules that only this host has; null: `fingerprinter`
  // serves all rules. New rules are named by `fingerprinter`.
  RevocationGuard(const RevocationPolicy& policy, Fingerprinter& fingerprinter,
                  Fingerprinter* host = nullptr)
      : policy_(policy), fingerprinter_(fingerprinter), host_(host), rules_(policy.max_rules) {}

  // The same for all spellings of a token.
  Fingerprint fingerprint_of(std::string_view token) const;
  bool invalidates_token(std::string_view token, const Now& now) const;
  // `claims`: a claims block (proto/claims_block.h). An undecodable block counts as revoked.
  bool invalidates_claims(UpstreamId upstream, std::string_view claims, WallTime issued_at,
                          const Now& now) const;
  // True if the confirmation was purged: it may answer queries made before the purge, but is not
  // cached.
  bool is_purged(UpstreamId upstream, std::string_view claims, BootTime confirmed_at) const;

  // False while this host may lack rules of its fleet and must not answer: then no answer is valid.
  bool is_complete() const { return complete_; }
  void set_complete(bool complete) { complete_ = complete; }

  const RevocationPolicy& policy() const { return policy_; }
  // Applies to new rules; max_rules is fixed at startup.
  void set_policy(const RevocationPolicy& policy) { policy_ = policy; }
  Revocations& rules() { return rules_; }
  const Revocations& rules() const { return rules_; }

 private:
  template <class Applies>
  bool any_of_user(UpstreamId upstream, std::string_view claims, Applies&& applies) const;

  RevocationPolicy policy_;
  Fingerprinter& fingerprinter_;
  Fingerprinter* host_;
  Revocations rules_;
  bool complete_ = true;
};

}  // namespace claimsd::claims
