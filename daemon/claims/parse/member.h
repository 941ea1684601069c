// member.h: reads single members of a JSON document strictly. What claimsd does not read is not
// checked. Errors name the member, never a value. Pure; any thread.
#pragma once

#include <fmt/core.h>
#include <simdjson.h>

#include <optional>
#include <string_view>

#include "daemon/base/claim_path.h"

namespace claimsd::claims {

using Element = simdjson::dom::element;

// The element at `path`, or nothing. An error if an object on the way has the member twice: two
// readers could see two values.
Result<std::optional<Element>> find_member(Element document, const ClaimPath& path);

// An error if `text`, read at `path`, has more than `limit` bytes or a control character: NUL, CR, LF
// and the like could be injected into headers, logs and C strings.
Status check_text(std::string_view text, const ClaimPath& path, std::size_t limit);

template <class... Args>
tl::unexpected<Error> member_failure(const ClaimPath& path, fmt::format_string<Args...> what,
                                     Args&&... args) {
  return failure(fmt::format("member \"{}\" ", path.text) +
                 fmt::format(what, std::forward<Args>(args)...));
}

}  // namespace claimsd::claims
