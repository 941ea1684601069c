// admission.h: who may connect, and how many connections each may have. Pure; loop thread.
//
// Decides by the uid and gid that the kernel recorded when the peer connected, never by pid: an
// inherited socket keeps its opener's identity.
#pragma once

#include <cstdint>
#include <optional>
#include <unordered_map>
#include <vector>

#include "proto/messages.h"

namespace claimsd::daemon {

struct AdmissionPolicy {
  std::vector<std::uint32_t> allowed_uids;  // both lists empty: whoever may open the socket
  std::vector<std::uint32_t> allowed_gids;
  std::uint32_t max_connections = 1024;
  std::uint32_t max_connections_per_uid = 256;
};

class Admission {
 public:
  explicit Admission(AdmissionPolicy policy) : policy_(std::move(policy)) {}

  // Counts a new connection in, or says why not.
  std::optional<proto::FailureCode> enter(std::uint32_t uid, std::uint32_t gid);
  // For connections to come. Those that are there stay counted.
  void set_policy(AdmissionPolicy policy) { policy_ = std::move(policy); }
  // May such a peer connect at all? root always may: it can become any of the others.
  bool allows(std::uint32_t uid, std::uint32_t gid) const;

  // Counts one out that had entered.
  void leave(std::uint32_t uid);
  std::uint32_t connections() const { return connections_; }

 private:
  AdmissionPolicy policy_;
  std::uint32_t connections_ = 0;
  std::unordered_map<std::uint32_t, std::uint32_t> by_uid_;
};

}  // namespace claimsd::daemon
