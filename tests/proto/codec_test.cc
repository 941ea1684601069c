// The codec, tested on every message of the table: messages survive a round trip; truncated
// payloads and wrong sizes are rejected.
#include "proto/codec.h"

#include <string>
#include <tuple>
#include <vector>

#include "tests/proto/exact_bytes.h"
#include "tests/support/catch.h"

namespace claimsd::proto {
namespace {

using testing::ExactBytes;

// Fills and compares a message field by field, as generated from the table.
struct Filler {
  std::vector<std::string> texts = std::vector<std::string>(16);
  unsigned field = 0;

  template <class Integer>
  Integer integer() {
    return static_cast<Integer>(0x1122334455667788u + ++field);
  }
  std::string_view text(std::size_t limit) {
    ++field;
    texts.at(field) = std::string(limit < 20 ? limit : 20, static_cast<char>('a' + field));
    return texts.at(field);
  }
};

#define CLAIMSD_FILL_INTEGER(Integer, name) message.name = filler.integer<Integer>();
#define CLAIMSD_FILL_STRING(Length, name, limit) message.name = filler.text(limit);
#define CLAIMSD_SAME_FIELD(type, name) &&left.name == right.name
#define CLAIMSD_SAME_STRING(type, name, limit) &&left.name == right.name
#define CLAIMSD_COUNT_FIELD(type, name) +1
#define CLAIMSD_COUNT_STRING(type, name, limit) +1
#define CLAIMSD_OVER_INTEGER(Integer, name)
#define CLAIMSD_OVER_STRING(Length, name, limit)                  \
  {                                                               \
    Filler filler;                                                \
    const std::string over(limit + 1, 'x');                       \
    auto message = Traits<Message>::filled(filler);               \
    message.name = over;                                          \
    CHECK(encode(message, 1, buffer.data(), buffer.size()) == 0); \
  }

template <class Message>
struct Traits;

#define CLAIMSD_TRAITS(Struct, code, sender)                                             \
  template <>                                                                            \
  struct Traits<Struct> {                                                                \
    static constexpr int kFields =                                                       \
        0 CLAIMSD_FIELDS_##Struct(CLAIMSD_COUNT_FIELD, CLAIMSD_COUNT_STRING);            \
    static Struct filled(Filler& filler) {                                               \
      Struct message;                                                                    \
      CLAIMSD_FIELDS_##Struct(CLAIMSD_FILL_INTEGER, CLAIMSD_FILL_STRING) return message; \
    }                                                                                    \
    static bool same(const Struct& left, const Struct& right) {                          \
      return true CLAIMSD_FIELDS_##Struct(CLAIMSD_SAME_FIELD, CLAIMSD_SAME_STRING);      \
    }                                                                                    \
    static void check_limits(std::string& buffer) {                                      \
      using Message [[maybe_unused]] = Struct;                                           \
      static_cast<void>(buffer);                                                         \
      CLAIMSD_FIELDS_##Struct(CLAIMSD_OVER_INTEGER, CLAIMSD_OVER_STRING)                 \
    }                                                                                    \
  };
CLAIMSD_MESSAGES(CLAIMSD_TRAITS)

template <class Message>
std::string frame_of(const Message& message, std::uint32_t id = 7) {
  std::string frame(2 * kMaxFrame, '\0');
  frame.resize(encode(message, id, frame.data(), frame.size()));
  return frame;
}

#define CLAIMSD_LIST(Struct, code, sender) , Struct
template <class, class... Rows>
struct WithoutFirst {
  using Type = std::tuple<Rows...>;
};
using Messages = WithoutFirst<void CLAIMSD_MESSAGES(CLAIMSD_LIST)>::Type;

TEMPLATE_LIST_TEST_CASE("a message is unchanged by encoding and decoding", "", Messages) {
  Filler filler;
  const TestType sent = Traits<TestType>::filled(filler);
  const std::string frame = frame_of(sent, 0xfedcba98u);
  const ExactBytes bytes(frame);

  FrameHeader header;
  REQUIRE(frame_status(bytes.view(), header) == FrameStatus::kComplete);
  CHECK(header.type == static_cast<std::uint16_t>(TestType::kType));
  CHECK(header.request_id == 0xfedcba98u);
  CHECK(header.frame_size() == frame.size());

  TestType received;
  REQUIRE(decode(bytes.view().substr(kHeaderSize), received));
  CHECK(Traits<TestType>::same(sent, received));
  CHECK(frame_of(received, 0xfedcba98u) == frame);
}

TEMPLATE_LIST_TEST_CASE("a truncated frame is incomplete", "", Messages) {
  Filler filler;
  const std::string frame = frame_of(Traits<TestType>::filled(filler));
  for (std::size_t size = 0; size < frame.size(); ++size) {
    const ExactBytes cut(std::string_view(frame).substr(0, size));
    FrameHeader header;
    REQUIRE(frame_status(cut.view(), header) == FrameStatus::kIncomplete);
  }
}

TEMPLATE_LIST_TEST_CASE("a payload may end between two fields and nowhere else", "", Messages) {
  Filler filler;
  const std::string frame = frame_of(Traits<TestType>::filled(filler));
  const std::string payload = frame.substr(kHeaderSize);
  int accepted = 0;
  for (std::size_t size = 0; size <= payload.size(); ++size) {
    const ExactBytes cut(std::string_view(payload).substr(0, size));
    TestType message;
    if (decode(cut.view(), message)) ++accepted;
  }
  CHECK(accepted == Traits<TestType>::kFields + 1);
}

TEMPLATE_LIST_TEST_CASE("missing fields read as zero or empty", "", Messages) {
  TestType message;
  REQUIRE(decode(std::string_view(), message));
  CHECK(Traits<TestType>::same(message, TestType{}));
}

TEMPLATE_LIST_TEST_CASE("extra fields from a newer peer are skipped", "", Messages) {
  Filler filler;
  const TestType sent = Traits<TestType>::filled(filler);
  const ExactBytes longer(frame_of(sent).substr(kHeaderSize) + std::string("\x00\xff newer", 8));
  TestType received;
  REQUIRE(decode(longer.view(), received));
  CHECK(Traits<TestType>::same(sent, received));
}

TEMPLATE_LIST_TEST_CASE("a string over its limit is not encoded", "", Messages) {
  std::string buffer(4 * kMaxFrame, '\0');
  Traits<TestType>::check_limits(buffer);
}

TEMPLATE_LIST_TEST_CASE("encoding into a buffer that is too small fails", "", Messages) {
  Filler filler;
  const TestType message = Traits<TestType>::filled(filler);
  const std::size_t needed = frame_of(message).size();
  for (std::size_t capacity = 0; capacity < needed; ++capacity) {
    const std::unique_ptr<char[]> exact(new char[capacity]);
    REQUIRE(encode(message, 1, exact.get(), capacity) == 0);
  }
}

TEST_CASE("a string over its limit is not decoded") {
  // Failure: u16 code, u16 size of the text. One byte over the limit, with all bytes present.
  std::string payload("\x01\x00\x01\x04", 4);
  payload += std::string(kMaxText + 1, 't');
  Failure failure;
  CHECK_FALSE(decode(ExactBytes(payload).view(), failure));
}

TEST_CASE("a string whose size exceeds the remaining bytes is not decoded") {
  Failure failure;
  CHECK_FALSE(decode(ExactBytes(std::string("\x01\x00\x05\x00only", 8)).view(), failure));
}

TEST_CASE("a payload over the limit is rejected before its bytes arrive") {
  std::string header(kHeaderSize, '\0');
  const std::uint32_t size = kMaxPayload + 1;
  std::memcpy(header.data(), &size, sizeof size);
  FrameHeader seen;
  CHECK(frame_status(header, seen) == FrameStatus::kTooLarge);
  const std::uint32_t all = 0xffffffffu;
  std::memcpy(header.data(), &all, sizeof all);
  CHECK(frame_status(header, seen) == FrameStatus::kTooLarge);
}

TEST_CASE("a header with reserved bits set is malformed") {
  std::string frame = frame_of(Ping{.echo = 1});
  frame[6] = 1;
  FrameHeader header;
  CHECK(frame_status(frame, header) == FrameStatus::kMalformed);
}

struct Seen {
  int calls = 0;
  template <class Message>
  void operator()(const Message& /*message*/, std::uint32_t /*id*/) {
    ++calls;
  }
};

TEMPLATE_LIST_TEST_CASE("dispatch accepts a message from its sender only", "", Messages) {
  Filler filler;
  const std::string frame = frame_of(Traits<TestType>::filled(filler));
  FrameHeader header;
  REQUIRE(frame_status(frame, header) == FrameStatus::kComplete);
  const std::string_view payload = std::string_view(frame).substr(kHeaderSize);
  Seen client;
  Seen daemon;
  const Dispatched by_client = dispatch<Sender::kClient>(header, payload, client);
  const Dispatched by_daemon = dispatch<Sender::kDaemon>(header, payload, daemon);
  const bool from_client = TestType::kSender == Sender::kClient;
  CHECK(client.calls == (from_client ? 1 : 0));
  CHECK(daemon.calls == (from_client ? 0 : 1));
  CHECK(by_client == (from_client ? Dispatched::kHandled : Dispatched::kUnknown));
  CHECK(by_daemon == (from_client ? Dispatched::kUnknown : Dispatched::kHandled));
}

TEST_CASE("dispatch distinguishes an unknown type from a malformed payload") {
  Seen seen;
  FrameHeader header{.payload_size = 0, .type = 0x7abc, .flags = 0, .request_id = 1};
  CHECK(dispatch<Sender::kClient>(header, "", seen) == Dispatched::kUnknown);
  header.type = static_cast<std::uint16_t>(MessageType::kPing);
  CHECK(dispatch<Sender::kClient>(header, "abc", seen) == Dispatched::kMalformed);
  CHECK(seen.calls == 0);
}

}  // namespace
}  // namespace claimsd::proto
