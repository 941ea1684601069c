// Wire codec with arbitrary bytes: framed, dispatched for both sides, and as a claims block.
// Whatever decodes is encoded again and must decode to the same bytes. Each piece lies in a heap
// block of its exact size, so that AddressSanitizer detects any read past the end.
#include <array>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <vector>

#include "proto/claims_block.h"
#include "proto/codec.h"
#include "tests/proto/exact_bytes.h"

namespace {

using namespace claimsd::proto;
using claimsd::testing::ExactBytes;

void require(bool held) {
  if (!held) std::abort();
}

struct ReEncoder {
  template <class Message>
  void operator()(const Message& message, std::uint32_t id) {
    static std::array<char, kMaxFrame>
        buffer;  // static, because allocating one per message would dominate the run time
    const std::size_t size = encode(message, id, buffer.data(), buffer.size());
    // Encoding adds fields that the input omitted, so a nearly full payload may exceed the limit.
    if (size == 0) return;
    const std::string frame(buffer.data(), size);
    FrameHeader header;
    require(frame_status(frame, header) == FrameStatus::kComplete);
    require(header.frame_size() == size && header.request_id == id);
    Message again;
    const ExactBytes payload(std::string_view(frame).substr(kHeaderSize));
    require(decode(payload.view(), again));
    std::string twice(size, '\0');
    require(encode(again, id, twice.data(), twice.size()) == size && twice == frame);
  }
};

void try_frames(std::string_view bytes) {
  FrameHeader header;
  while (frame_status(bytes, header) == FrameStatus::kComplete) {
    require(header.payload_size <= kMaxPayload && header.frame_size() <= bytes.size());
    const ExactBytes payload(bytes.substr(kHeaderSize, header.payload_size));
    dispatch<Sender::kClient>(header, payload.view(), ReEncoder{});
    dispatch<Sender::kDaemon>(header, payload.view(), ReEncoder{});
    bytes.remove_prefix(header.frame_size());
  }
}

// Decodes the bytes as the payload of every message, independent of a valid header.
void try_payloads(std::string_view payload) {
#define CLAIMSD_TRY(Struct, code, sender)                     \
  {                                                           \
    Struct message;                                           \
    if (decode(payload, message)) ReEncoder{}(message, code); \
  }
  CLAIMSD_MESSAGES(CLAIMSD_TRY)
#undef CLAIMSD_TRY
}

void try_claims(std::string_view block) {
  ClaimsView claims;
  if (!decode_claims(block, claims)) return;
  std::vector<std::string_view> roles;
  claims.roles.each([&roles](std::string_view role) {
    roles.push_back(role);
    return true;
  });
  require(roles.size() == claims.roles.size());
  std::string again(block.size(), '\0');
  Writer writer(again.data(), again.size());
  require(encode_claims(writer, claims.id, claims.email, roles, claims.raw) && again == block);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const ExactBytes bytes(std::string_view(reinterpret_cast<const char*>(data), size));
  try_frames(bytes.view());
  try_payloads(bytes.view());
  try_claims(bytes.view());
  return 0;
}
