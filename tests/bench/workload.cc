#include "tests/bench/workload.h"

#include <fmt/core.h>

#include <array>

#include "proto/claims_block.h"
#include "proto/codec.h"

namespace claimsd::bench {
namespace {

constexpr std::string_view kUserId = "user-123";
constexpr std::string_view kEmail = "tech@example.com";
constexpr std::string_view kRole = "rvt";

// `head` and `tail` with `filler` in between, `size` bytes in total.
std::string padded(std::string head, std::string_view tail, std::size_t size, char filler) {
  head.append(size - head.size() - tail.size(), filler);
  return head.append(tail);
}

}  // namespace

std::string base64url(std::string_view bytes) {
  static constexpr std::string_view kAlphabet =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  std::string text;
  std::uint32_t bits = 0;
  int held = 0;
  for (const char byte : bytes) {
    bits = (bits << 8) | static_cast<unsigned char>(byte);
    for (held += 8; held >= 6; held -= 6) text += kAlphabet[(bits >> (held - 6)) & 63];
  }
  if (held > 0) text += kAlphabet[(bits << (6 - held)) & 63];
  return text;
}

std::string make_token(std::uint64_t number) {
  const std::string header = base64url(R"({"alg":"RS256","typ":"JWT"})");
  // The signature of a 2048-bit key has 342 characters. Tokens differ at the end of it, where a
  // comparison finds the difference last.
  const std::string signature = padded(std::string{}, fmt::format("{:016x}", number), 342, 's');
  const std::size_t payload_text = kTokenSize - header.size() - signature.size() - 2;
  const std::string payload = padded(
      R"({"token_type":"access","exp":4102444800,"iat":1700000000,"user_id":"user-123","scope":")",
      R"("})", payload_text * 3 / 4, 'x');
  return header + '.' + base64url(payload) + '.' + signature;
}

std::string claims_json() {
  return padded(
      fmt::format(R"({{"id":"{}","email":"{}","role":"{}","name":")", kUserId, kEmail, kRole),
      R"("})", kClaimsSize, 'n');
}

std::string cache_key() {
  return "claims:" + std::string(kKeySize - 7, 'a');
}

FrameSizes frame_sizes() {
  std::array<char, proto::kMaxFrame> buffer;
  std::array<char, 1024> block;
  proto::Writer writer(block.data(), block.size());
  const std::array<std::string_view, 1> roles{kRole};
  proto::encode_claims(writer, kUserId, kEmail, roles, claims_json());

  const std::string token = make_token(0);
  proto::Query query;
  query.token = token;
  proto::Answer answer;
  answer.claims = std::string_view(block.data(), writer.size());
  return {.query = proto::encode(query, 1, buffer.data(), buffer.size()),
          .answer = proto::encode(answer, 1, buffer.data(), buffer.size())};
}

}  // namespace claimsd::bench
