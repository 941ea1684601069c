#include "client/src/answer.h"

#include <cstdlib>
#include <cstring>

using claimsd::proto::Reason;
using claimsd::proto::Source;
using claimsd::proto::Verdict;

// The strings lie behind it, in the same allocation of `size` bytes; behind those of the claims,
// the roles' pointers come first.
struct claimsd_answer {
  std::size_t size;
  Verdict verdict;
  Source source;
  Reason reason;
  std::uint32_t age_ms;
  std::uint32_t left_ms;
  std::uint32_t retry_after_ms;
  const char* id;
  const char* email;
  const char* json;
  std::size_t json_size;
  std::size_t role_count;

  const char** roles() { return reinterpret_cast<const char**>(this + 1); }
  const char* const* roles() const { return reinterpret_cast<const char* const*>(this + 1); }
};

namespace claimsd::client_impl {
namespace {

constexpr char kNoJson[] = "{}";

constexpr claimsd_answer without_claims(const Finding& finding) {
  return {.size = sizeof(claimsd_answer),
          .verdict = finding.verdict,
          .source = finding.source,
          .reason = finding.reason,
          .age_ms = finding.age_ms,
          .left_ms = finding.left_ms,
          .retry_after_ms = finding.retry_after_ms,
          .id = "",
          .email = "",
          .json = kNoJson,
          .json_size = sizeof kNoJson - 1,
          .role_count = 0};
}

constexpr claimsd_answer kNoMemoryAnswer = without_claims({.reason = Reason::kNoResources});

bool has_nul(std::string_view text) {
  return std::memchr(text.data(), '\0', text.size()) != nullptr;
}

// Callers get C strings: a NUL inside one would make it say something else.
bool is_c_text(const proto::ClaimsView& claims) {
  bool clean = !has_nul(claims.id) && !has_nul(claims.email) && !has_nul(claims.raw);
  claims.roles.each([&clean](std::string_view role) { return clean = clean && !has_nul(role); });
  return clean;
}

// A reason that this version does not know keeps the verdict on the wire, unless that lets somebody
// in.
bool consistent(Verdict verdict, Reason reason) {
  switch (verdict) {
    case Verdict::kValid: return reason == Reason::kOk;
    case Verdict::kInvalid:
    case Verdict::kUnavailable: break;
    default: return false;
  }
  const bool known = proto::name_of(reason) != std::string_view("unknown");
  return !known || proto::verdict_of(reason) == verdict;
}

std::size_t bytes_of_claims(const proto::ClaimsView& claims) {
  std::size_t bytes = claims.id.size() + claims.email.size() + claims.raw.size() + 3;
  claims.roles.each([&bytes](std::string_view role) {
    bytes += sizeof(char*) + role.size() + 1;
    return true;
  });
  return bytes;
}

// Copies `text` to `place` and moves that past its NUL.
const char* append(char*& place, std::string_view text) {
  char* const start = place;
  if (!text.empty()) std::memcpy(start, text.data(), text.size());
  start[text.size()] = '\0';
  place = start + text.size() + 1;
  return start;
}

void copy_claims(const proto::ClaimsView& claims, claimsd_answer& answer) {
  char* place = reinterpret_cast<char*>(answer.roles() + claims.roles.size());
  answer.id = append(place, claims.id);
  answer.email = append(place, claims.email);
  claims.roles.each([&](std::string_view role) {
    answer.roles()[answer.role_count++] = append(place, role);
    return true;
  });
  if (claims.raw.empty()) return;  // held back for its size
  answer.json = append(place, claims.raw);
  answer.json_size = claims.raw.size();
}

}  // namespace

Finding finding_of(const proto::Answer& answer) {
  const auto verdict = static_cast<Verdict>(answer.verdict);
  const auto reason = static_cast<Reason>(answer.reason);
  if (!consistent(verdict, reason)) return finding_of(Reason::kProtocol);
  const bool known_source = answer.source <= static_cast<std::uint8_t>(Source::kStale);
  Finding finding{.verdict = verdict,
                  .source = known_source ? static_cast<Source>(answer.source) : Source::kNone,
                  .reason = reason,
                  .age_ms = answer.age_ms,
                  .left_ms = answer.left_ms,
                  .retry_after_ms = answer.retry_after_ms,
                  .claims = {}};
  if (verdict == Verdict::kValid &&
      (!proto::decode_claims(answer.claims, finding.claims) || !is_c_text(finding.claims))) {
    return finding_of(Reason::kProtocol);
  }
  return finding;
}

Finding finding_of(Reason reason) {
  Finding finding;
  finding.reason = reason;
  finding.verdict = proto::verdict_of(reason);
  // Only claims make an answer valid, and here are none.
  if (finding.verdict == Verdict::kValid) finding = Finding{};
  return finding;
}

claimsd_result result_of(Verdict verdict) {
  switch (verdict) {
    case Verdict::kValid: return CLAIMSD_VALID;
    case Verdict::kInvalid: return CLAIMSD_INVALID;
    case Verdict::kUnavailable: break;
  }
  return CLAIMSD_UNAVAILABLE;
}

claimsd_answer* make_answer(const Finding& finding) {
  const bool valid = finding.verdict == Verdict::kValid;
  const std::size_t size = sizeof(claimsd_answer) + (valid ? bytes_of_claims(finding.claims) : 0);
  auto* const answer = static_cast<claimsd_answer*>(std::malloc(size));
  // Never written to nor freed: claimsd_answer_free() knows it.
  if (answer == nullptr) return const_cast<claimsd_answer*>(&kNoMemoryAnswer);
  *answer = without_claims(finding);
  answer->size = size;
  if (valid) copy_claims(finding.claims, *answer);
  return answer;
}

}  // namespace claimsd::client_impl

namespace client = claimsd::client_impl;

void claimsd_answer_free(claimsd_answer* answer) {
  if (answer == nullptr || answer == &client::kNoMemoryAnswer) return;
  explicit_bzero(answer, answer->size);
  std::free(answer);
}

claimsd_result claimsd_answer_verdict(const claimsd_answer* answer) {
  return answer == nullptr ? CLAIMSD_UNAVAILABLE : client::result_of(answer->verdict);
}

const char* claimsd_answer_reason(const claimsd_answer* answer) {
  return claimsd::proto::name_of(answer == nullptr ? Reason::kNoResources : answer->reason).data();
}

const char* claimsd_answer_text(const claimsd_answer* answer) {
  return claimsd::proto::sentence_of(answer == nullptr ? Reason::kNoResources : answer->reason)
      .data();
}

claimsd_source claimsd_answer_source(const claimsd_answer* answer) {
  return answer == nullptr ? CLAIMSD_SOURCE_NONE : static_cast<claimsd_source>(answer->source);
}

uint32_t claimsd_answer_age_ms(const claimsd_answer* answer) {
  return answer == nullptr ? 0 : answer->age_ms;
}

uint32_t claimsd_answer_left_ms(const claimsd_answer* answer) {
  return answer == nullptr ? 0 : answer->left_ms;
}

uint32_t claimsd_answer_retry_after_ms(const claimsd_answer* answer) {
  return answer == nullptr ? 0 : answer->retry_after_ms;
}

const char* claimsd_answer_id(const claimsd_answer* answer) {
  return answer == nullptr ? "" : answer->id;
}

const char* claimsd_answer_email(const claimsd_answer* answer) {
  return answer == nullptr ? "" : answer->email;
}

size_t claimsd_answer_role_count(const claimsd_answer* answer) {
  return answer == nullptr ? 0 : answer->role_count;
}

const char* claimsd_answer_role(const claimsd_answer* answer, size_t index) {
  return index < claimsd_answer_role_count(answer) ? answer->roles()[index] : nullptr;
}

int claimsd_answer_has_role(const claimsd_answer* answer, const char* role) {
  if (role == nullptr) return 0;
  for (size_t i = 0; i < claimsd_answer_role_count(answer); ++i) {
    if (std::strcmp(answer->roles()[i], role) == 0) return 1;
  }
  return 0;
}

const char* claimsd_answer_json(const claimsd_answer* answer, size_t* size) {
  const char* const json = answer == nullptr ? client::kNoJson : answer->json;
  if (size != nullptr) *size = answer == nullptr ? sizeof client::kNoJson - 1 : answer->json_size;
  return json;
}
