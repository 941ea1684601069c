// session.h: the protocol of one connection: handshake, queries, reports, answers. It never sees a
// socket. Owned by its Connection; loop thread. Grammar: proto/PROTOCOL.md.
//
// Bytes come in through consume(), frames go out through the Wire. After hang_up() on the Wire the
// session ignores all input. The peer is not trusted: any input is answered, rejected with a
// Failure frame, or closes the connection.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "daemon/base/wiped_buffer.h"
#include "daemon/claims/service.h"
#include "daemon/server/peer_table.h"
#include "proto/codec.h"

namespace claimsd::server {

// Where a session sends its frames.
class Wire {
 public:
  virtual ~Wire() = default;
  virtual void send(std::string_view frame) = 0;
  // The same, with a descriptor attached to the first byte. False when nothing was sent.
  virtual bool send_with_descriptor(std::string_view frame, int descriptor) = 0;
  // Closes the connection after everything sent has been written. The session is not called again.
  virtual void hang_up() = 0;
};

// An upstream as the handshake names it.
struct UpstreamName {
  claims::UpstreamId id = 0;
  std::string name;
};

// Shared by all sessions; must outlive them.
struct SessionContext {
  claims::ClaimsService& service;
  Clock& clock;
  std::string daemon_version;
  // Finds an upstream by the URL that a client expects; "" is the default upstream. None: not
  // configured here.
  std::function<std::optional<UpstreamName>(std::string_view url)> find_upstream;
  int map_descriptor = -1;        // the lease map, for peers that request it; -1: none
  bool takes_reports = false;     // true when an audit log is kept
  std::uint64_t worker_hits = 0;  // lookups that clients answered themselves, as they say
};

class Session {
 public:
  static constexpr std::size_t kFramesPerIteration = 64;
  // Rate-limited ones among them. Bounds how long another connection's hit waits.
  static constexpr std::size_t kRejectionsPerIteration = 8;
  // No further frame is started after this time. A query that needs the Auth API costs as much as
  // thirty hits.
  static constexpr Duration kTimePerIteration = std::chrono::microseconds(50);

  Session(std::uint64_t connection, SessionContext& context, Wire& wire)
      : connection_(connection), context_(context), wire_(wire) {}
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;
  ~Session() = default;

  // Refuses the peer before it has sent anything, and hangs up.
  void refuse(proto::FailureCode code);
  // Takes bytes from the peer, in pieces of any size. Handles a limited number of frames, so that
  // other connections are served soon (kFramesPerIteration, kRejectionsPerIteration, kTimePerIteration).
  void consume(std::string_view bytes);
  // Only stores the bytes. Handle them later by calling consume() with no bytes.
  void keep(std::string_view bytes);
  // Answers an open query of this session.
  void answer(std::uint32_t request, const claims::Answer& answer);
  // Acknowledges an open report of this session.
  void receipt(std::uint32_t request, proto::Reason reason);

  // Sets the peer, before anything is consumed. `peer` counts its activity; null: not counted.
  void set_peer(std::uint32_t uid, PeerRow* peer) {
    uid_ = uid;
    if (peer != nullptr) peer_ = peer;
  }
  // The peer can no longer receive: queries are dropped, reports are still recorded.
  void peer_left() { peer_left_ = true; }
  // Whether consume() left whole frames unhandled. Call it again with no bytes in another loop
  // iteration.
  bool has_backlog() const { return backlog_; }
  // Queries and reports that the last consume() rejected by rate limit.
  std::size_t rate_limited() const { return rate_limited_; }

  bool shook_hands() const { return state_ == State::kOpen; }
  std::size_t open_queries() const { return open_queries_; }
  bool holds_map() const { return holds_map_; }

 private:
  enum class State : std::uint8_t { kHelloExpected, kOpen, kClosed };
  struct Handler;

  // Handles the whole frames at the start of `bytes`; returns the rest.
  std::string_view consume_frames(std::string_view bytes);
  bool iteration_is_over(std::size_t handled, BootTime began) const;
  void handle(const proto::FrameHeader& header, std::string_view payload);
  void on_hello(const proto::Hello& hello, std::uint32_t request);
  bool hand_over_map(proto::Welcome welcome, std::uint32_t request);
  void on_query(const proto::Query& query, std::uint32_t request);
  void on_report(const proto::Report& report, std::uint32_t request);
  bool open_query();
  void fail(std::uint32_t request, proto::FailureCode code);
  template <class Message>
  void send(const Message& message, std::uint32_t request);
  void hang_up();

  std::uint64_t connection_;
  SessionContext& context_;
  Wire& wire_;
  State state_ = State::kHelloExpected;
  claims::UpstreamId upstream_ = 0;
  bool holds_map_ = false;
  bool reports_ = false;
  bool peer_left_ = false;
  std::size_t open_queries_ = 0;
  std::uint32_t uid_ = 0;
  PeerRow uncounted_;
  PeerRow* peer_ = &uncounted_;
  bool backlog_ = false;
  std::size_t rate_limited_ = 0;
  // Frames deferred to another loop iteration and the start of an incomplete frame. May hold
  // tokens.
  WipedBuffer partial_;
};

}  // namespace claimsd::server
