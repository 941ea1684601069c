// codec.h: converts frames to messages and back. Pure: no allocation, no I/O; any thread.
//
//   frame  = header payload
//   header = u32 payload size, u16 type, u16 flags (0), u32 request id
//
// A receiver buffers bytes until frame_status() reports a complete frame, then passes header and
// payload to dispatch(). No input can cause a read outside the buffer or need more than kMaxFrame
// bytes.
#pragma once

#include "proto/messages.h"

namespace claimsd::proto {

struct FrameHeader {
  std::uint32_t payload_size = 0;
  std::uint16_t type = 0;
  std::uint16_t flags = 0;
  std::uint32_t request_id = 0;

  std::size_t frame_size() const { return kHeaderSize + payload_size; }
};

enum class FrameStatus : std::uint8_t {
  kIncomplete,  // more bytes are needed
  kComplete,    // the first `header.frame_size()` bytes are one frame
  kTooLarge,    // hang up: the peer announced more than kMaxPayload
  kMalformed,   // hang up: reserved bits are set
};

// Inspects the start of `bytes`. Fills `header` as soon as a whole header is present.
FrameStatus frame_status(std::string_view bytes, FrameHeader& header);

// Writes one frame to `buffer`. Returns its size, or 0 if it exceeds `capacity` or a field exceeds
// its limit.
#define CLAIMSD_DECLARE_CODEC(Struct, code, sender)                                 \
  std::size_t encode(const Struct& message, std::uint32_t request_id, char* buffer, \
                     std::size_t capacity);                                         \
  bool decode(std::string_view payload, Struct& message);
CLAIMSD_MESSAGES(CLAIMSD_DECLARE_CODEC)
#undef CLAIMSD_DECLARE_CODEC

enum class Dispatched : std::uint8_t {
  kHandled,    // the handler received the message
  kMalformed,  // the payload does not follow the table
  kUnknown,    // unknown type, or not one that this side receives
};

// Decodes the payload of a message sent by `from` and calls `handler(message, request_id)`. The
// handler needs an overload for every message of that sender.
template <Sender from, class Handler>
Dispatched dispatch(const FrameHeader& header, std::string_view payload, Handler&& handler) {
  switch (static_cast<MessageType>(header.type)) {
#define CLAIMSD_DISPATCH(Struct, code, sender)                      \
  case MessageType::k##Struct:                                      \
    if constexpr (Struct::kSender == from) {                        \
      Struct message;                                               \
      if (!decode(payload, message)) return Dispatched::kMalformed; \
      handler(message, header.request_id);                          \
      return Dispatched::kHandled;                                  \
    }                                                               \
    return Dispatched::kUnknown;
    CLAIMSD_MESSAGES(CLAIMSD_DISPATCH)
#undef CLAIMSD_DISPATCH
  }
  return Dispatched::kUnknown;
}

}  // namespace claimsd::proto
