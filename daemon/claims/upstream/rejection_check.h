// rejection_check.h: which rejections of one Auth API are checked over a new connection before they
// are believed.
//
// A kept connection can lead to an instance that was replaced, and an old instance may reject good
// tokens: it does not know a new key, or its database is gone. So a rejection over an old connection
// is doubted. If new connections agree several times in a row, the rejections are real (many users
// log out at once), and for a while they are believed, so that the load does not double. Tokens that
// were valid before and unknown tokens are judged apart: a flood of junk must not make an old
// instance believable. Pure; loop thread.
#pragma once

#include <array>

#include "daemon/base/clock.h"

namespace claimsd::claims {

class RejectionCheck {
 public:
  static constexpr Duration kOldConnection = seconds(5);
  static constexpr unsigned kAgreements = 3;
  static constexpr Duration kBelieved = seconds(5);  // since the last agreement

  // True if a rejection over a connection of this age needs a check. `known`: of a token that was
  // valid before.
  bool doubts(bool known, Duration connection_age, BootTime now) const;
  // A new connection rejected the token as well.
  void agreed(bool known, BootTime now);
  // A new connection confirmed the token.
  void disagreed() { tokens_ = {}; }

 private:
  struct Tokens {
    unsigned agreements = 0;
    BootTime last{};
  };
  std::array<Tokens, 2> tokens_{};  // unknown, known
};

}  // namespace claimsd::claims
