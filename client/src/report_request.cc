#include "client/src/report_request.h"

#include <cstddef>
#include <cstring>

#include "client/src/query_request.h"
#include "client/src/sized_struct.h"

namespace claimsd::client {
namespace {

constexpr std::size_t kTexts = proto::kMaxId + proto::kMaxMethod + proto::kMaxRoute +
                               proto::kMaxRequired + proto::kMaxAddress + proto::kMaxTraceId;
constexpr std::size_t kMaxReason = 64;           // longer than any reason
constexpr std::size_t kIntegersAndLengths = 64;  // 26 in truth: it may grow
static_assert(kIntegersAndLengths + proto::kMaxToken + kTexts <= proto::kMaxPayload);

// operator== would put a copy of libstdc++'s code into the library.
bool are_equal(std::string_view left, std::string_view right) {
  return left.size() == right.size() && std::memcmp(left.data(), right.data(), left.size()) == 0;
}

// The code of a reason's word; 0 for an unknown word and for "".
std::uint16_t code_of(std::string_view word) {
  if (word.empty()) return 0;
#define CLAIMSD_REASON_CODE(identifier, code, known, verdict, sentence) \
  if (are_equal(word, known)) return code;
  CLAIMSD_REASONS(CLAIMSD_REASON_CODE)
#undef CLAIMSD_REASON_CODE
  return 0;
}

}  // namespace

bool read_report_request(const claimsd_report_request* given, std::uint32_t default_timeout_ms,
                         ReportRequest& out) {
  claimsd_report_request known = CLAIMSD_REPORT_REQUEST_INIT;
  constexpr std::size_t kOldest =
      offsetof(claimsd_report_request, trace_id_size) + sizeof known.trace_id_size;
  if (given == nullptr || !copy_sized(given, kOldest, known)) return false;
  if ((known.flags & ~CLAIMSD_AWAIT_RECORD) != 0 || known.reserved != 0) return false;
  if (known.status < CLAIMSD_MIN_STATUS || known.status > CLAIMSD_MAX_STATUS) return false;
  const bool has_token = known.token != nullptr && known.token_size <= proto::kMaxToken;
  out.report = {
      .status = static_cast<std::uint16_t>(known.status),
      .reason = code_of(limited(known.reason, known.reason_size, kMaxReason)),
      .token = has_token ? std::string_view(known.token, known.token_size) : std::string_view(),
      .user = limited(known.user, known.user_size, proto::kMaxId),
      .method = limited(known.method, known.method_size, proto::kMaxMethod),
      .route = limited(known.route, known.route_size, proto::kMaxRoute),
      .required = limited(known.required, known.required_size, proto::kMaxRequired),
      .client_address =
          limited(known.client_address, known.client_address_size, proto::kMaxAddress),
      .trace_id = limited(known.trace_id, known.trace_id_size, proto::kMaxTraceId)};
  out.awaits_record = (known.flags & CLAIMSD_AWAIT_RECORD) != 0;
  out.timeout_ms = known.timeout_ms == 0 ? default_timeout_ms : known.timeout_ms;
  return true;
}

std::size_t frame_bound(const proto::Report& report) {
  return proto::kHeaderSize + kIntegersAndLengths + report.token.size() + kTexts;
}

}  // namespace claimsd::client
