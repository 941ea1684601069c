#include "daemon/base/claim_path.h"

namespace claimsd {
namespace {

// One reference token of a JSON Pointer with "~1" and "~0" decoded (RFC 6901 section 4).
Result<std::string> decode_step(std::string_view step) {
  std::string decoded;
  for (std::size_t at = 0; at < step.size(); ++at) {
    if (step[at] != '~') {
      decoded += step[at];
      continue;
    }
    const char kind = ++at < step.size() ? step[at] : '\0';
    if (kind != '0' && kind != '1')
      return failure(
          "\"~\" must be followed by 0 (for ~) or 1 (for /), as in "
          "\"/https:~1~1example.com~1roles\"");
    decoded += kind == '1' ? '/' : '~';
  }
  return decoded;
}

}  // namespace

Result<ClaimPath> ClaimPath::parse(std::string_view text) {
  if (text.empty()) return failure("a member's name or a JSON Pointer must not be empty");
  if (text.front() != '/') return member(text);
  ClaimPath path{.text = std::string(text), .steps = {}};
  for (std::string_view rest = text; !rest.empty();) {
    rest.remove_prefix(1);
    const std::string_view step = rest.substr(0, rest.find('/'));
    path.steps.push_back(TRY(decode_step(step)));
    rest.remove_prefix(step.size());
  }
  return path;
}

ClaimPath ClaimPath::member(std::string_view name) {
  return {.text = std::string(name), .steps = {std::string(name)}};
}

}  // namespace claimsd
