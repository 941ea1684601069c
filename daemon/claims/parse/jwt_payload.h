// jwt_payload.h: decodes the payload of a JWT (RFC 7519). Pure; any thread.
#pragma once

#include <string_view>

#include "daemon/claims/parse/json_parser.h"

namespace claimsd::claims {

// Decodes the second of three parts into `json`'s input and returns its size; nothing if the token
// has another number of parts, such as a JWE. Lenient, like many issuers' decoders: padding and
// characters outside base64 are skipped, both alphabets are accepted.
std::optional<std::size_t> decode_payload(std::string_view token, WipedJson& json);

}  // namespace claimsd::claims
