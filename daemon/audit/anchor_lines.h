// anchor_lines.h: the two lines of an anchors file, signed. Pure; any thread.
#pragma once

#include "daemon/audit/anchors.h"

namespace claimsd::daemon {

// `parent_hex` is "-" of a first key, which signs itself.
std::string signed_key_line(const std::string& origin, std::int64_t day,
                            const std::string& public_hex, const std::string& parent_hex,
                            const Secret& signer);

std::string signed_anchor_line(const AuditAnchor& anchor, const std::string& public_hex,
                               const Secret& signer);

}  // namespace claimsd::daemon
