// admission.h: decides who may connect, how many connections each uid may have, and how often it may
// open one. Owned by Server; loop thread; pure.
//
// Input: the uid and gid that the kernel recorded at connect time (SO_PEERCRED, unix(7)). The pid
// is never used: a process that inherits a socket still shows the pid of the one that opened it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "daemon/claims/upstream/token_bucket.h"
#include "proto/messages.h"

namespace claimsd::server {

struct AdmissionPolicy {
  std::vector<std::uint32_t> allowed_uids;  // both lists empty: anyone who can open the socket
  std::vector<std::uint32_t> allowed_gids;
  std::uint32_t max_connections = 8192;
  std::uint32_t max_connections_per_uid = 4096;
  std::uint32_t connects_per_uid = 1000;  // per second, after a burst of twice the number above

  // Whether this peer may ask at all. Root always may: it can become any other user.
  bool allows(std::uint32_t uid, std::uint32_t gid) const;
};

class Admission {
 public:
  explicit Admission(AdmissionPolicy policy);

  // Counts a new connection, or returns why it is refused.
  std::optional<proto::FailureCode> enter(std::uint32_t uid, std::uint32_t gid, BootTime now);
  // Applies to new connections only. Existing ones stay counted.
  void set_policy(AdmissionPolicy policy);
  bool allows(std::uint32_t uid, std::uint32_t gid) const { return policy_.allows(uid, gid); }
  // For a person: the sentence of the code, with the value of the option that it names.
  std::string text_of(proto::FailureCode why) const;

  // Uncounts a connection that enter() accepted.
  void leave(std::uint32_t uid);
  std::uint32_t connections() const { return connections_; }

 private:
  AdmissionPolicy policy_;
  std::uint32_t connections_ = 0;
  std::unordered_map<std::uint32_t, std::uint32_t> by_uid_;
  claims::TokenBuckets<std::uint32_t> connects_;  // by uid
};

}  // namespace claimsd::server
