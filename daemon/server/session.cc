#include "daemon/server/session.h"

#include <string.h>  // explicit_bzero(3)

#include <algorithm>
#include <array>
#include <type_traits>

namespace claimsd::server {

using proto::FailureCode;

namespace {

// HTTP statuses that reject a request.
constexpr std::uint16_t kMinStatus = 400;
constexpr std::uint16_t kMaxStatus = 599;

}  // namespace

// Dispatches each message to its handler. A new row in the table without an overload here does not
// compile.
struct Session::Handler {
  Session& session;
  void operator()(const proto::Hello& hello, std::uint32_t request) {
    session.on_hello(hello, request);
  }
  void operator()(const proto::Ping& ping, std::uint32_t request) {
    session.send(proto::Pong{.echo = ping.echo}, request);
  }
  void operator()(const proto::Query& query, std::uint32_t request) {
    session.on_query(query, request);
  }
  void operator()(const proto::Report& report, std::uint32_t request) {
    session.on_report(report, request);
  }
};

void Session::refuse(FailureCode code) {
  fail(0, code);
  hang_up();
}

void Session::consume(std::string_view bytes) {
  if (state_ == State::kClosed) return;
  if (partial_.empty()) {
    const std::string_view rest =
        consume_frames(bytes);  // the common case: whole frames, nothing copied
    if (state_ != State::kClosed) partial_.append(rest);
    return;
  }
  partial_.append(bytes);
  const std::string_view rest = consume_frames(partial_.view());
  if (state_ == State::kClosed || rest.empty()) return partial_.release();
  partial_.remove_prefix(partial_.size() - rest.size());
  // Not with a backlog: moving the rest forward for every slice would be quadratic.
  if (!backlog_) partial_.compact();
}

void Session::keep(std::string_view bytes) {
  if (state_ == State::kClosed) return;
  partial_.append(bytes);
  backlog_ = true;
}

std::string_view Session::consume_frames(std::string_view bytes) {
  backlog_ = false;
  rate_limited_ = 0;
  BootTime began{};
  for (std::size_t handled = 0; state_ != State::kClosed; ++handled) {
    proto::FrameHeader header;
    switch (proto::frame_status(bytes, header)) {
      case proto::FrameStatus::kIncomplete: return bytes;
      case proto::FrameStatus::kTooLarge: refuse(FailureCode::kFrameTooLarge); return {};
      case proto::FrameStatus::kMalformed: refuse(FailureCode::kBadFrame); return {};
      case proto::FrameStatus::kComplete: break;
    }
    // Usually there is one frame, and the clock is not read.
    if (handled == 0 && bytes.size() > header.frame_size()) began = context_.clock.now().boot;
    if (handled > 0 && iteration_is_over(handled, began)) {
      backlog_ = true;
      return bytes;
    }
    handle(header, bytes.substr(proto::kHeaderSize, header.payload_size));
    bytes.remove_prefix(header.frame_size());
  }
  return {};
}

bool Session::iteration_is_over(std::size_t handled, BootTime began) const {
  return handled == kFramesPerIteration || rate_limited_ == kRejectionsPerIteration ||
         context_.clock.now().boot - began >= kTimePerIteration;
}

void Session::handle(const proto::FrameHeader& header, std::string_view payload) {
  const bool is_hello = header.type == static_cast<std::uint16_t>(proto::MessageType::kHello);
  if (is_hello != (state_ == State::kHelloExpected)) return refuse(FailureCode::kHelloExpected);
  switch (proto::dispatch<proto::Sender::kClient>(header, payload, Handler{*this})) {
    case proto::Dispatched::kHandled: return;
    case proto::Dispatched::kMalformed: return refuse(FailureCode::kBadFrame);
    // A newer client may send a message this daemon does not know: keep the connection.
    case proto::Dispatched::kUnknown: return fail(header.request_id, FailureCode::kUnknownMessage);
  }
}

void Session::on_hello(const proto::Hello& hello, std::uint32_t request) {
  if (hello.version_min > proto::kVersion || hello.version_max < proto::kVersion) {
    return refuse(FailureCode::kVersionMismatch);
  }
  const std::optional<UpstreamName> upstream = context_.find_upstream(hello.upstream_url);
  if (!upstream) return refuse(FailureCode::kUnknownUpstream);
  upstream_ = upstream->id;
  state_ = State::kOpen;
  reports_ = context_.takes_reports && (hello.features & proto::kFeatureReports) != 0;
  const proto::Welcome welcome{.version = proto::kVersion,
                               .features = reports_ ? proto::kFeatureReports : 0,
                               .boot_time_ns = static_cast<std::uint64_t>(
                                   context_.clock.now().boot.time_since_epoch().count()),
                               .daemon_version = context_.daemon_version,
                               .upstream_name = upstream->name,
                               .upstream_id = upstream->id};
  holds_map_ = (hello.features & proto::kFeatureSharedMap) != 0 && hand_over_map(welcome, request);
  if (!holds_map_) send(welcome, request);
}

// The feature is granted only by the frame that carries the map. If that cannot be sent, it is not.
bool Session::hand_over_map(proto::Welcome welcome, std::uint32_t request) {
  if (context_.map_descriptor < 0) return false;
  welcome.features |= proto::kFeatureSharedMap;
  std::array<char, 1024> frame;
  const std::size_t size = proto::encode(welcome, request, frame.data(), frame.size());
  return size != 0 && wire_.send_with_descriptor({frame.data(), size}, context_.map_descriptor);
}

bool Session::open_query() {
  if (open_queries_ >= proto::kMaxOpenQueries) {
    refuse(FailureCode::kTooManyOpen);
    return false;
  }
  ++open_queries_;
  return true;
}

void Session::on_query(const proto::Query& query, std::uint32_t request) {
  if (peer_left_ || !open_query()) return;
  claims::Query lookup{.upstream = upstream_,
                       .token = query.token,
                       .max_age = {},
                       .timeout = milliseconds(query.timeout_ms),
                       .wants_lease = holds_map_,
                       .uid = uid_,
                       .origin = {.client_address = query.client_address,
                                  .trace_id = query.trace_id,
                                  .route = query.route}};
  if (query.max_age_ms != proto::kAnyAge) lookup.max_age = milliseconds(query.max_age_ms);
  ++peer_->queries;
  context_.worker_hits += query.local_hits;
  if (!context_.service.query(lookup,
                              claims::Waiter{.connection = connection_, .request = request}))
    ++rate_limited_;
}

void Session::on_report(const proto::Report& report, std::uint32_t request) {
  if (!reports_) return fail(request, FailureCode::kUnknownMessage);
  if (report.status < kMinStatus || report.status > kMaxStatus)
    return refuse(FailureCode::kBadFrame);
  if (!open_query()) return;
  const claims::Report received{.upstream = upstream_,
                                .uid = uid_,
                                .timeout = milliseconds(report.timeout_ms),
                                .status = report.status,
                                .reason = static_cast<proto::Reason>(report.reason),
                                .token = report.token,
                                .user = report.user,
                                .method = report.method,
                                .required = report.required,
                                .origin = {.client_address = report.client_address,
                                           .trace_id = report.trace_id,
                                           .route = report.route},
                                .unacknowledged = report.unacknowledged};
  if (!context_.service.report(received,
                               claims::Waiter{.connection = connection_, .request = request}))
    ++rate_limited_;
}

void Session::receipt(std::uint32_t request, proto::Reason reason) {
  if (state_ == State::kClosed) return;
  --open_queries_;
  send(proto::Receipt{.reason = static_cast<std::uint16_t>(reason)}, request);
}

void Session::answer(std::uint32_t request, const claims::Answer& answer) {
  if (state_ == State::kClosed) return;
  --open_queries_;
  if (answer.reason != proto::Reason::kOk) peer_->count_failure(answer.reason);
  send(proto::Answer{.verdict = static_cast<std::uint8_t>(proto::verdict_of(answer.reason)),
                     .source = static_cast<std::uint8_t>(answer.source),
                     .reason = static_cast<std::uint16_t>(answer.reason),
                     .flags = answer.flags,
                     .age_ms = to_wire_ms(answer.age),
                     .ttl_ms = to_wire_ms(answer.ttl_remaining),
                     .retry_after_ms = to_wire_ms(answer.retry_after),
                     .claims = answer.claims},
       request);
}

void Session::fail(std::uint32_t request, FailureCode code) {
  send(proto::Failure{.code = static_cast<std::uint16_t>(code), .text = proto::sentence_of(code)},
       request);
}

template <class Message>
void Session::send(const Message& message, std::uint32_t request) {
  std::array<char, proto::kMaxFrame>
      frame;  // NOLINT: left uninitialized, only written bytes are read
  const std::size_t size = proto::encode(message, request, frame.data(), frame.size());
  wire_.send({frame.data(), size});
  if constexpr (std::is_same_v<Message, proto::Answer>) explicit_bzero(frame.data(), size);
}

void Session::hang_up() {
  state_ = State::kClosed;
  wire_.hang_up();
}

}  // namespace claimsd::server
