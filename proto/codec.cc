#include "proto/codec.h"

namespace claimsd::proto {
namespace {

void write_header(Writer& writer, std::uint16_t type, std::uint32_t request_id) {
  writer.integer(std::uint32_t{0});  // the size, filled in by finish()
  writer.integer(type);
  writer.integer(std::uint16_t{0});
  writer.integer(request_id);
}

std::size_t finish(const Writer& writer, char* buffer) {
  if (!writer.ok()) return 0;
  const std::size_t payload = writer.size() - kHeaderSize;
  if (payload > kMaxPayload) return 0;
  const auto size = static_cast<std::uint32_t>(payload);
  std::memcpy(buffer, &size, sizeof size);
  return writer.size();
}

}  // namespace

FrameStatus frame_status(std::string_view bytes, FrameHeader& header) {
  if (bytes.size() < kHeaderSize) return FrameStatus::kIncomplete;
  Reader reader(bytes);
  header.payload_size = reader.integer<std::uint32_t>();
  header.type = reader.integer<std::uint16_t>();
  header.flags = reader.integer<std::uint16_t>();
  header.request_id = reader.integer<std::uint32_t>();
  if (header.payload_size > kMaxPayload) return FrameStatus::kTooLarge;
  if (header.flags != 0) return FrameStatus::kMalformed;
  return bytes.size() < header.frame_size() ? FrameStatus::kIncomplete : FrameStatus::kComplete;
}

// A decoder stops without error if the payload ends between two fields: an older peer does not send
// the rest.
#define CLAIMSD_ENCODE_INTEGER(Integer, name) writer.integer(message.name);
#define CLAIMSD_ENCODE_STRING(Length, name, limit) writer.sized<Length>(message.name, limit);
#define CLAIMSD_DECODE_INTEGER(Integer, name) \
  if (reader.left() == 0) return reader.ok(); \
  message.name = reader.integer<Integer>();
#define CLAIMSD_DECODE_STRING(Length, name, limit) \
  if (reader.left() == 0) return reader.ok();      \
  message.name = reader.sized<Length>(limit);

#define CLAIMSD_DEFINE_CODEC(Struct, code, sender)                                                \
  std::size_t encode(const Struct& message, std::uint32_t request_id, char* buffer,               \
                     std::size_t capacity) {                                                      \
    Writer writer(buffer, capacity);                                                              \
    write_header(writer, code, request_id);                                                       \
    CLAIMSD_FIELDS_##Struct(CLAIMSD_ENCODE_INTEGER, CLAIMSD_ENCODE_STRING) return finish(writer,  \
                                                                                         buffer); \
  }                                                                                               \
  bool decode(std::string_view payload, Struct& message) {                                        \
    Reader reader(payload);                                                                       \
    CLAIMSD_FIELDS_##Struct(CLAIMSD_DECODE_INTEGER, CLAIMSD_DECODE_STRING) return reader.ok();    \
  }
CLAIMSD_MESSAGES(CLAIMSD_DEFINE_CODEC)
#undef CLAIMSD_DEFINE_CODEC

}  // namespace claimsd::proto
