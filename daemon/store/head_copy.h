// head_copy.h: a copy of the head of the revocations in a file of its own, outside their directory.
//
//   claimsd-revocations 1 SEQUENCE DIGEST CHECK
//
// One line of text. DIGEST has 64 hexadecimal digits; CHECK, 16 digits, shows damage, not forgery:
// a process that can write here can also remove the file. Blocks on the disk; one thread at a time.
#pragma once

#include <optional>
#include <string>

#include "daemon/base/result.h"
#include "daemon/claims/revocation/set_head.h"

namespace claimsd::store {

// Nothing if there is no file. Fails if it cannot be read or is damaged.
Result<std::optional<claims::SetHead>> read_head_copy(const std::string& path);

// Replaces the file atomically; on success it is durable.
Status write_head_copy(const std::string& path, const claims::SetHead& head);

// 64 hexadecimal digits.
std::string digest_text(const claims::SetHead& head);

}  // namespace claimsd::store
