// outcome.h: what became of one step towards an answer, and what that allows next.
#pragma once

#include "proto/messages.h"

namespace claimsd::client_impl {

using proto::Reason;

enum class Fate : std::uint8_t {
  kDone,  // go on
  kLost,  // the daemon hung up or is stopping: the question may be asked again on a new connection
  kAbsent,  // nobody listens on the socket
  kBusy,   // the listener's backlog is full: connect again in a moment (non-blocking connects only)
  kFinal,  // trying again will not help this question
};

struct Outcome {
  Fate fate = Fate::kDone;
  Reason reason = Reason::kOk;  // what to tell the caller if this was the last try

  bool done() const { return fate == Fate::kDone; }
};

inline constexpr Outcome kDone{};
inline constexpr Outcome kLost{Fate::kLost, Reason::kDisconnected};
inline constexpr Outcome kAbsent{Fate::kAbsent, Reason::kNoDaemon};
inline constexpr Outcome kBusy{Fate::kBusy, Reason::kTimeout};
constexpr Outcome final_outcome(Reason reason) {
  return {Fate::kFinal, reason};
}

// What a Failure frame means to a question. A code from a newer daemon is a matter of protocol.
constexpr Outcome outcome_of(proto::FailureCode code) {
  switch (code) {
    case proto::FailureCode::kNotAllowed: return final_outcome(Reason::kNotPermitted);
    case proto::FailureCode::kUnknownUpstream: return final_outcome(Reason::kWrongUpstream);
    case proto::FailureCode::kTooManyPeers: return final_outcome(Reason::kTooManyConnections);
    case proto::FailureCode::kTooManyOpen: return final_outcome(Reason::kOverloaded);
    case proto::FailureCode::kStopping: return kLost;
    case proto::FailureCode::kBadFrame:
    case proto::FailureCode::kFrameTooLarge:
    case proto::FailureCode::kUnknownMessage:
    case proto::FailureCode::kHelloExpected:
    case proto::FailureCode::kVersionMismatch: break;
  }
  return final_outcome(Reason::kProtocol);
}

}  // namespace claimsd::client_impl
