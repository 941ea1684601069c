// outcome.h: the result of one step of a query, which decides whether to retry. Pure; values.
#pragma once

#include "client/src/deadline.h"
#include "proto/messages.h"

namespace claimsd::client {

using proto::Reason;

enum class StepResult : std::uint8_t {
  kDone,    // go on
  kLost,    // the daemon hung up or is stopping: retry on a new connection
  kAbsent,  // the socket has no listener, or one that could not start
  kBusy,   // the listener's backlog is full: connect again in a moment (non-blocking connects only)
  kFinal,  // a retry cannot help
};

struct Outcome {
  StepResult result = StepResult::kDone;
  Reason reason = Reason::kOk;  // the caller's reason if this was the last try

  bool done() const { return result == StepResult::kDone; }
};

inline constexpr Outcome kDone{};
inline constexpr Outcome kLost{StepResult::kLost, Reason::kDisconnected};
inline constexpr Outcome kAbsent{StepResult::kAbsent, Reason::kNoDaemon};
inline constexpr Outcome kBusy{StepResult::kBusy, Reason::kTimeout};
constexpr Outcome final_outcome(Reason reason) {
  return {StepResult::kFinal, reason};
}

// The outcome of a wait whose deadline has passed.
inline Outcome over(const Deadline& deadline) {
  return final_outcome(deadline.is_canceled() ? Reason::kCanceled : Reason::kTimeout);
}

// The daemon accepts no further connection now, and those that exist stay usable.
constexpr bool is_connection_limit(Reason reason) {
  return reason == Reason::kTooManyConnections || reason == Reason::kTooManyOfUid ||
         reason == Reason::kConnectsTooFast;
}

// The outcome of a Failure frame. An unknown code from a newer daemon is a protocol error.
constexpr Outcome outcome_of(proto::FailureCode code) {
  switch (code) {
    case proto::FailureCode::kNotAllowed: return final_outcome(Reason::kNotPermitted);
    case proto::FailureCode::kUnknownUpstream: return final_outcome(Reason::kWrongUpstream);
    case proto::FailureCode::kTooManyPeers: return final_outcome(Reason::kTooManyConnections);
    case proto::FailureCode::kTooManyOfUid: return final_outcome(Reason::kTooManyOfUid);
    case proto::FailureCode::kConnectsTooFast: return final_outcome(Reason::kConnectsTooFast);
    case proto::FailureCode::kNotConfigured: return final_outcome(Reason::kNotConfigured);
    case proto::FailureCode::kTooManyOpen: return final_outcome(Reason::kOverloaded);
    case proto::FailureCode::kStopping: return kLost;
    case proto::FailureCode::kCannotStart: return kAbsent;
    case proto::FailureCode::kBadFrame:
    case proto::FailureCode::kFrameTooLarge:
    case proto::FailureCode::kUnknownMessage:
    case proto::FailureCode::kHelloExpected:
    case proto::FailureCode::kVersionMismatch: break;
  }
  return final_outcome(Reason::kProtocol);
}

}  // namespace claimsd::client
