// session.h: the protocol as one connection speaks it: handshake, questions, answers. It never sees
// a socket.
//
// Bytes come in through consume(), frames go out through the Wire. After hang_up() was called on
// the Wire the session ignores everything. The peer is not trusted: whatever it sends is answered,
// refused with a Failure frame, or ends the connection. Loop thread. PROTOCOL.md is the grammar.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/claims/service.h"
#include "daemon/server/peer_table.h"
#include "proto/codec.h"

namespace claimsd::daemon {

// Where a session's frames go.
class Wire {
 public:
  virtual ~Wire() = default;
  virtual void send(std::string_view frame) = 0;
  // The same with a descriptor on the frame's first byte. False when nothing was sent.
  virtual bool send_with_descriptor(std::string_view frame, int descriptor) = 0;
  // Closes the connection when what was sent is out, without a further call to the session.
  virtual void hang_up() = 0;
};

// An upstream as the handshake needs it.
struct UpstreamName {
  UpstreamId id = 0;
  std::string name;
};

// What all sessions share; outlives them.
struct SessionContext {
  ClaimsService& service;
  Clock& clock;
  std::string daemon_version;
  // By the URL a client expects; "" is the default upstream. None: not one of this daemon's.
  std::function<std::optional<UpstreamName>(std::string_view url)> find_upstream;
  int map_descriptor = -1;     // of the map of leases, for peers that ask for it; -1: there is none
  bool takes_reports = false;  // an audit log is kept
};

class Session {
 public:
  static constexpr std::size_t kFramesPerTurn = 64;
  // Of them, those that are turned away as over budget: who asks for a hit meanwhile waits for no
  // more than these.
  static constexpr std::size_t kRefusalsPerTurn = 8;
  // And no frame is begun after so long: a question that goes to the Auth API takes as long as
  // thirty hits.
  static constexpr Duration kTimePerTurn = std::chrono::microseconds(50);

  Session(std::uint64_t connection, SessionContext& context, Wire& wire)
      : connection_(connection), context_(context), wire_(wire) {}
  ~Session() { wipe_partial(); }
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  // Refuses the peer before it has said a word, and hangs up.
  void refuse(proto::FailureCode code);
  // What the peer sent, in pieces of any size. Handles so many frames that others soon have their
  // turn (kFramesPerTurn, kRefusalsPerTurn, kTimePerTurn).
  void consume(std::string_view bytes);
  // The same in another turn: consume() it with nothing new.
  void keep(std::string_view bytes);
  // The answer to an open question of this session.
  void answer(std::uint32_t request, const Answer& answer);
  // The same to a report.
  void receipt(std::uint32_t request, proto::Reason reason);

  // Who is at the other end; before anything is consumed. `peer` counts what it does; none: nobody.
  void set_peer(std::uint32_t uid, PeerRow* peer) {
    uid_ = uid;
    if (peer != nullptr) peer_ = peer;
  }
  // Nobody can be answered any more: questions are not asked for nobody, reports are taken.
  void peer_left() { peer_left_ = true; }
  // Are there whole frames left that consume() did not get to? Call it again, with nothing new, in
  // another turn of the loop.
  bool has_backlog() const { return backlog_; }
  // Questions and reports of the last consume() that were beyond what their peer may have.
  std::size_t over_budget() const { return over_budget_; }

  bool shook_hands() const { return state_ == State::kOpen; }
  std::size_t open_questions() const { return open_questions_; }
  bool holds_map() const { return holds_map_; }

 private:
  enum class State : std::uint8_t { kHelloExpected, kOpen, kClosed };
  struct Handler;

  // Handles the whole frames at the start of `bytes`; gives back the rest.
  std::string_view consume_frames(std::string_view bytes);
  bool turn_is_over(std::size_t handled, BootTime began) const;
  void handle(const proto::FrameHeader& header, std::string_view payload);
  void on_hello(const proto::Hello& hello, std::uint32_t request);
  bool hand_over_map(proto::Welcome welcome, std::uint32_t request);
  void on_query(const proto::Query& query, std::uint32_t request);
  void on_report(const proto::Report& report, std::uint32_t request);
  bool open_question();
  void fail(std::uint32_t request, proto::FailureCode code);
  template <class Message>
  void send(const Message& message, std::uint32_t request);
  void hang_up();
  void wipe_partial();

  std::uint64_t connection_;
  SessionContext& context_;
  Wire& wire_;
  State state_ = State::kHelloExpected;
  UpstreamId upstream_ = 0;
  bool holds_map_ = false;
  bool reports_ = false;
  bool peer_left_ = false;
  std::size_t open_questions_ = 0;
  std::uint32_t uid_ = 0;
  PeerRow uncounted_;
  PeerRow* peer_ = &uncounted_;
  bool backlog_ = false;
  std::size_t over_budget_ = 0;
  // Frames of another turn, and the start of one whose end has not come; may hold tokens.
  std::vector<char> partial_;
  std::size_t partial_used_ = 0;  // bytes of it that have been handled
};

}  // namespace claimsd::daemon
