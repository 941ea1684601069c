// session_fixture.h: a session on a real service with fake dependencies, for tests.
#pragma once

#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/server/session.h"
#include "proto/claims_block.h"
#include "tests/support/catch.h"
#include "tests/support/service_harness.h"

namespace claimsd::server {

inline constexpr std::uint64_t kConnection = 7;

// A frame the session has sent, decoded.
struct Received {
  std::uint32_t request = 0;
  std::optional<proto::Welcome> welcome;
  std::optional<proto::FailureCode> failure;
  std::optional<proto::Pong> pong;
  std::optional<proto::Answer> answer;
  std::optional<proto::Reason> receipt;
};

class FakeWire final : public Wire {
 public:
  void send(std::string_view frame) override {
    REQUIRE_FALSE(hung_up);
    frames_.emplace_back(frame);
  }
  bool send_with_descriptor(std::string_view frame, int descriptor) override {
    if (takes_no_descriptor) return false;
    send(frame);
    descriptors.push_back(descriptor);
    return true;
  }
  void hang_up() override { hung_up = true; }

  Received take() {
    REQUIRE_FALSE(frames_.empty());
    bytes_ = frames_.front();
    frames_.erase(frames_.begin());
    proto::FrameHeader header;
    REQUIRE(proto::frame_status(bytes_, header) == proto::FrameStatus::kComplete);
    REQUIRE(header.frame_size() == bytes_.size());
    Received received;
    struct Handler {
      Received& to;
      void operator()(const proto::Welcome& it, std::uint32_t) { to.welcome = it; }
      void operator()(const proto::Failure& it, std::uint32_t) {
        to.failure = static_cast<proto::FailureCode>(it.code);
      }
      void operator()(const proto::Pong& it, std::uint32_t) { to.pong = it; }
      void operator()(const proto::Answer& it, std::uint32_t) { to.answer = it; }
      void operator()(const proto::Receipt& it, std::uint32_t) {
        to.receipt = static_cast<proto::Reason>(it.reason);
      }
    };
    received.request = header.request_id;
    REQUIRE(proto::dispatch<proto::Sender::kDaemon>(
                header, std::string_view(bytes_).substr(proto::kHeaderSize), Handler{received}) ==
            proto::Dispatched::kHandled);
    return received;
  }
  bool empty() const { return frames_.empty(); }

  bool hung_up = false;
  bool takes_no_descriptor = false;
  std::vector<int> descriptors;  // descriptors that were sent

 private:
  std::vector<std::string> frames_;
  std::string bytes_;  // owns the bytes of the latest take()
};

template <class Message>
std::string frame(const Message& message, std::uint32_t request) {
  std::string bytes(proto::kMaxFrame, '\0');
  bytes.resize(proto::encode(message, request, bytes.data(), bytes.size()));
  REQUIRE_FALSE(bytes.empty());
  return bytes;
}

inline std::string hello(std::string_view url = "") {
  return frame(
      proto::Hello{
          .version_min = proto::kVersion, .version_max = proto::kVersion, .upstream_url = url},
      1);
}

inline std::string query(std::string_view token, std::uint32_t request,
                         std::uint32_t max_age_ms = proto::kAnyAge) {
  return frame(proto::Query{.max_age_ms = max_age_ms, .token = token}, request);
}

// A session on a real service with fake dependencies. The service's answers come back to it.
struct Fixture {
  Fixture() {
    harness.sink.on_answer = [this](const claims::Waiter& waiter) {
      const testing::RecordedAnswer& recorded = harness.answer(waiter);
      claims::Answer answer = recorded.answer;
      answer.claims = recorded.claims;
      session.answer(waiter.request, answer);
    };
    harness.sink.on_receipt = [this](const claims::Waiter& waiter) {
      session.receipt(waiter.request, *harness.receipt(waiter));
    };
  }

  // Registers the queries with the recording sink, then delivers the bytes.
  void consume(std::string_view bytes, std::initializer_list<std::uint32_t> queries = {}) {
    for (const std::uint32_t request : queries) harness.sink.expect({kConnection, request});
    session.consume(bytes);
  }
  void shake_hands() {
    consume(hello());
    REQUIRE(wire.take().welcome);
  }

  testing::ServiceHarness harness;
  SessionContext context{.service = *harness.service,
                         .clock = harness.clock,
                         .daemon_version = "1.2.3",
                         .find_upstream = [](std::string_view url) -> std::optional<UpstreamName> {
                           if (url.empty() || url == "https://auth.example.com")
                             return UpstreamName{0, "main"};
                           return std::nullopt;
                         }};
  FakeWire wire;
  Session session{kConnection, context, wire};
};

}  // namespace claimsd::server
