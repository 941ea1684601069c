// anchor_lines.h: formats and signs the two kinds of line in an anchors file (FORMAT.md,
// "Anchors"). Pure; any thread.
#pragma once

#include "daemon/audit/anchors.h"

namespace claimsd::audit {

// `parent_hex` is "-" for the first key, which signs itself.
std::string signed_key_line(const std::string& origin, std::int64_t day,
                            const std::string& public_hex, const std::string& parent_hex,
                            const Secret& signer);

std::string signed_anchor_line(const Anchor& anchor, const std::string& public_hex,
                               const Secret& signer);

}  // namespace claimsd::audit
