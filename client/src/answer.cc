#include "client/src/answer.h"

#include <cstddef>
#include <cstdlib>
#include <cstring>

#include "client/src/sized_struct.h"

using claimsd::proto::Reason;
using claimsd::proto::Source;
using claimsd::proto::Verdict;

// One block of `size` bytes that can be copied as it is, since it holds no pointers: the texts lie
// behind the struct, at offsets from its start; those of the roles come first. All offsets are
// computed here from checked claims; none comes from outside.
struct claimsd_answer {
  std::uint32_t size;
  Verdict verdict;
  Source source;
  Reason reason;
  std::uint32_t age_ms;
  std::uint32_t ttl_ms;
  std::uint32_t retry_after_ms;
  std::uint32_t id;
  std::uint32_t email;
  std::uint32_t json;
  std::uint32_t json_size;
  std::uint32_t role_count;
  std::uint32_t truncated;  // 0 or 1
  char no_json[4];          // "{}"; its end is the text of whatever is not there

  char* bytes() { return reinterpret_cast<char*>(this); }
  const char* text(std::uint32_t offset) const {
    return reinterpret_cast<const char*>(this) + offset;
  }
  std::uint32_t* roles() { return reinterpret_cast<std::uint32_t*>(this + 1); }
  const std::uint32_t* roles() const { return reinterpret_cast<const std::uint32_t*>(this + 1); }
};

namespace claimsd::client {
namespace {

constexpr char kNoJson[] = "{}";
constexpr std::uint32_t kNoJsonAt = offsetof(claimsd_answer, no_json);
constexpr std::uint32_t kNoTextAt = kNoJsonAt + sizeof kNoJson - 1;

constexpr claimsd_answer without_claims(const LookupResult& found) {
  return {.size = sizeof(claimsd_answer),
          .verdict = found.verdict,
          .source = found.source,
          .reason = found.reason,
          .age_ms = found.age_ms,
          .ttl_ms = found.ttl_ms,
          .retry_after_ms = found.retry_after_ms,
          .id = kNoTextAt,
          .email = kNoTextAt,
          .json = kNoJsonAt,
          .json_size = sizeof kNoJson - 1,
          .role_count = 0,
          .truncated = found.truncated ? 1u : 0u,
          .no_json = "{}"};
}

constexpr claimsd_answer kNoMemoryAnswer = without_claims({.reason = Reason::kNoResources});

bool has_nul(std::string_view text) {
  return std::memchr(text.data(), '\0', text.size()) != nullptr;
}

// Callers get C strings: a NUL byte would truncate them.
bool is_c_text(const proto::ClaimsView& claims) {
  bool clean = !has_nul(claims.id) && !has_nul(claims.email) && !has_nul(claims.raw);
  claims.roles.each([&clean](std::string_view role) { return clean = clean && !has_nul(role); });
  return clean;
}

// An unknown reason from a newer daemon keeps the verdict of the wire, unless that is valid.
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
    bytes += sizeof(std::uint32_t) + role.size() + 1;
    return true;
  });
  return bytes;
}

// Copies texts one after the other behind the roles' offsets.
class Texts {
 public:
  Texts(claimsd_answer& answer, std::size_t roles)
      : answer_(answer),
        end_(static_cast<std::uint32_t>(sizeof answer + roles * sizeof(std::uint32_t))) {}

  // The text's offset, its NUL set.
  std::uint32_t append(std::string_view text) {
    const std::uint32_t start = end_;
    if (!text.empty()) std::memcpy(answer_.bytes() + start, text.data(), text.size());
    end_ += static_cast<std::uint32_t>(text.size());
    answer_.bytes()[end_++] = '\0';
    return start;
  }

 private:
  claimsd_answer& answer_;
  std::uint32_t end_;
};

void copy_claims(const proto::ClaimsView& claims, claimsd_answer& answer) {
  Texts texts(answer, claims.roles.size());
  answer.id = texts.append(claims.id);
  answer.email = texts.append(claims.email);
  claims.roles.each([&](std::string_view role) {
    answer.roles()[answer.role_count++] = texts.append(role);
    return true;
  });
  if (claims.raw.empty()) return;  // omitted for its size
  answer.json = texts.append(claims.raw);
  answer.json_size = static_cast<std::uint32_t>(claims.raw.size());
}

// All roles, each followed by NUL. copy_claims() stores them contiguously.
std::string_view roles_of(const claimsd_answer& answer) {
  if (answer.role_count == 0) return {answer.text(kNoTextAt), 0};
  const char* const first = answer.text(answer.roles()[0]);
  const char* const last = answer.text(answer.roles()[answer.role_count - 1]);
  return {first, static_cast<std::size_t>(last - first) + std::strlen(last) + 1};
}

}  // namespace

LookupResult lookup_result_of(const proto::Answer& answer) {
  const auto verdict = static_cast<Verdict>(answer.verdict);
  const auto reason = static_cast<Reason>(answer.reason);
  if (!consistent(verdict, reason)) return lookup_result_of(Reason::kProtocol);
  const bool known_source = answer.source <= static_cast<std::uint8_t>(Source::kStale);
  LookupResult found{
      .verdict = verdict,
      .source = known_source ? static_cast<Source>(answer.source) : Source::kNone,
      .reason = reason,
      .age_ms = answer.age_ms,
      .ttl_ms = answer.ttl_ms,
      .retry_after_ms = answer.retry_after_ms,
      .truncated = verdict == Verdict::kValid && (answer.flags & proto::kAnswerTruncated) != 0,
      .claims = {}};
  if (verdict == Verdict::kValid && !read_claims(answer.claims, found.claims)) {
    return lookup_result_of(Reason::kProtocol);
  }
  return found;
}

bool read_claims(std::string_view block, proto::ClaimsView& out) {
  return proto::decode_claims(block, out) && is_c_text(out);
}

LookupResult lookup_result_of(const proto::Receipt& receipt) {
  const auto reason = static_cast<Reason>(receipt.reason);
  const bool sound = proto::verdict_of(reason) == Verdict::kUnavailable;
  return lookup_result_of(sound ? reason : Reason::kProtocol);
}

LookupResult lookup_result_of(Reason reason) {
  LookupResult found;
  found.reason = reason;
  found.verdict = proto::verdict_of(reason);
  // A valid answer needs claims, and there are none here.
  if (found.verdict == Verdict::kValid) found = LookupResult{};
  return found;
}

claimsd_result result_of(Verdict verdict) {
  switch (verdict) {
    case Verdict::kValid: return CLAIMSD_VALID;
    case Verdict::kInvalid: return CLAIMSD_INVALID;
    case Verdict::kUnavailable: break;
  }
  return CLAIMSD_UNAVAILABLE;
}

claimsd_answer* make_answer(const LookupResult& found) {
  const bool valid = found.verdict == Verdict::kValid;
  const std::size_t size = sizeof(claimsd_answer) + (valid ? bytes_of_claims(found.claims) : 0);
  auto* const answer = static_cast<claimsd_answer*>(std::malloc(size));
  // Never written or freed: claimsd_answer_free() recognizes it.
  if (answer == nullptr) return const_cast<claimsd_answer*>(&kNoMemoryAnswer);
  *answer = without_claims(found);
  answer->size = static_cast<std::uint32_t>(size);
  if (valid) copy_claims(found.claims, *answer);
  return answer;
}

bool is_real(const claimsd_answer* answer) {
  return answer != &kNoMemoryAnswer;
}

std::size_t size_of(const claimsd_answer& answer) {
  return answer.size;
}

claimsd_answer* copy_answer(const void* bytes, std::size_t size, std::uint32_t age_ms,
                            std::uint32_t ttl_ms) {
  auto* const answer = static_cast<claimsd_answer*>(std::malloc(size));
  if (answer == nullptr) return nullptr;
  std::memcpy(answer, bytes, size);
  answer->source = Source::kLocal;
  answer->age_ms = age_ms;
  answer->ttl_ms = ttl_ms;
  return answer;
}

}  // namespace claimsd::client

namespace client = claimsd::client;

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

uint32_t claimsd_answer_ttl_ms(const claimsd_answer* answer) {
  return answer == nullptr ? 0 : answer->ttl_ms;
}

uint32_t claimsd_answer_retry_after_ms(const claimsd_answer* answer) {
  return answer == nullptr ? 0 : answer->retry_after_ms;
}

const char* claimsd_answer_id(const claimsd_answer* answer) {
  return answer == nullptr ? "" : answer->text(answer->id);
}

const char* claimsd_answer_email(const claimsd_answer* answer) {
  return answer == nullptr ? "" : answer->text(answer->email);
}

size_t claimsd_answer_role_count(const claimsd_answer* answer) {
  return answer == nullptr ? 0 : answer->role_count;
}

const char* claimsd_answer_role(const claimsd_answer* answer, size_t index) {
  if (index >= claimsd_answer_role_count(answer)) return nullptr;
  return answer->text(answer->roles()[index]);
}

int claimsd_answer_has_role(const claimsd_answer* answer, const char* role) {
  if (role == nullptr) return 0;
  for (size_t i = 0; i < claimsd_answer_role_count(answer); ++i) {
    if (std::strcmp(answer->text(answer->roles()[i]), role) == 0) return 1;
  }
  return 0;
}

claimsd_result claimsd_read_answer(const claimsd_answer* answer, claimsd_answer_view* out) {
  constexpr std::size_t kOldest =
      offsetof(claimsd_answer_view, roles_size) + sizeof out->roles_size;
  if (out == nullptr || !client::is_struct_size(out->size, kOldest)) return CLAIMSD_BAD_ARGUMENT;
  const claimsd_answer& seen = answer == nullptr ? client::kNoMemoryAnswer : *answer;
  const std::string_view reason = claimsd::proto::name_of(seen.reason);
  const std::string_view text = claimsd::proto::sentence_of(seen.reason);
  const std::string_view roles = client::roles_of(seen);
  const claimsd_answer_view view = {.size = sizeof view,
                                    .verdict = client::result_of(seen.verdict),
                                    .source = static_cast<claimsd_source>(seen.source),
                                    .age_ms = seen.age_ms,
                                    .ttl_ms = seen.ttl_ms,
                                    .retry_after_ms = seen.retry_after_ms,
                                    .role_count = seen.role_count,
                                    .reason = reason.data(),
                                    .reason_size = reason.size(),
                                    .text = text.data(),
                                    .text_size = text.size(),
                                    .id = seen.text(seen.id),
                                    .id_size = std::strlen(seen.text(seen.id)),
                                    .email = seen.text(seen.email),
                                    .email_size = std::strlen(seen.text(seen.email)),
                                    .json = seen.text(seen.json),
                                    .json_size = seen.json_size,
                                    .roles = roles.data(),
                                    .roles_size = roles.size(),
                                    .truncated = seen.truncated ? 1U : 0U};
  const std::size_t size = out->size < sizeof view ? out->size : sizeof view;
  std::memcpy(out, &view, size);
  out->size = size;
  return CLAIMSD_OK;
}

int claimsd_answer_truncated(const claimsd_answer* answer) {
  return answer == nullptr ? 0 : static_cast<int>(answer->truncated);
}

const char* claimsd_answer_json(const claimsd_answer* answer, size_t* size) {
  const char* const json = answer == nullptr ? client::kNoJson : answer->text(answer->json);
  if (size != nullptr) *size = answer == nullptr ? sizeof client::kNoJson - 1 : answer->json_size;
  return json;
}
