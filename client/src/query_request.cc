#include "client/src/query_request.h"

#include <cstddef>

#include "client/src/sized_struct.h"

namespace claimsd::client {
namespace {

constexpr std::uint32_t kMaxMarginMs = 50;

bool continues_character(char byte) {
  return (static_cast<unsigned char>(byte) & 0xc0u) == 0x80u;
}

}  // namespace

std::string_view limited(const char* text, std::size_t size, std::size_t limit) {
  if (text == nullptr) return {};
  if (size == CLAIMSD_NUL_TERMINATED) size = strnlen(text, limit + 1);
  if (size > limit) {
    size = limit;
    while (size > 0 && continues_character(text[size])) --size;
  }
  return {text, size};
}

// All its fields are as old as the struct, so each is there, and is read by itself: the caller has
// just written them one by one, and a core that copied them in larger pieces would wait for its own
// stores to land.
std::optional<QueryRequest> read_query_request(const claimsd_query_request* given,
                                               std::uint32_t default_timeout_ms) {
  constexpr std::size_t kOldest =
      offsetof(claimsd_query_request, cancellation) + sizeof given->cancellation;
  static_assert(sizeof *given == kOldest, "a newer field is there only if given->size covers it");
  if (given == nullptr || !is_struct_size(given->size, kOldest)) return std::nullopt;
  const claimsd_query_request& known = *given;
  if (known.token == nullptr && known.token_size != 0) return std::nullopt;
  return QueryRequest{
      .query = {.timeout_ms = 0,
                .max_age_ms = known.max_age_ms,
                .token = {known.token, known.token_size},
                .client_address =
                    limited(known.client_address, known.client_address_size, proto::kMaxAddress),
                .trace_id = limited(known.trace_id, known.trace_id_size, proto::kMaxTraceId),
                .route = limited(known.route, known.route_size, proto::kMaxRoute)},
      .timeout_ms = known.timeout_ms == 0 ? default_timeout_ms : known.timeout_ms,
      .cancellation = known.cancellation == nullptr ? nullptr : &known.cancellation->cancellation};
}

std::size_t frame_bound(const proto::Query& query) {
  constexpr std::size_t kIntegersAndLengths = 64;  // 20 in truth: it may grow
  return proto::kHeaderSize + kIntegersAndLengths + query.token.size() +
         query.client_address.size() + query.trace_id.size() + query.route.size();
}

bool fits_a_frame(const proto::Query& query) {
  return query.token.size() <= proto::kMaxTokenField && frame_bound(query) <= proto::kMaxFrame;
}

std::uint32_t daemon_share_ms(std::uint32_t remaining_ms) {
  const std::uint32_t margin = remaining_ms / 16 < kMaxMarginMs ? remaining_ms / 16 : kMaxMarginMs;
  return remaining_ms > 1 ? remaining_ms - (margin > 0 ? margin : 1) : remaining_ms;
}

}  // namespace claimsd::client
