// order_parser.h: an order of an operator, as the admin API takes it: one JSON object.
//
//   {"token": "..."} or {"user": "ID"} or {"everybody": true}: whom it is about, one of the three
//   "upstream": "NAME"      with "user": of that Auth API alone
//   "for_seconds": 3600     revoke: of a token without `exp`, tokens without `iat`, a lock
//   "lock": true            revoke of a user: altogether, for that time
//
// Strict: an order that is not understood as a whole is not carried out in part. Wipes what it
// copies. Pure; any thread.
#pragma once

#include <string>
#include <string_view>

#include "daemon/base/result.h"
#include "daemon/base/secret.h"
#include "daemon/claims/revocation/orders.h"

namespace claimsd::daemon {

enum class OrderKind : std::uint8_t { kPurge, kRevoke };

struct ParsedOrder {
  Order order;  // `who` is a view into the next one; `upstream` is not filled in
  Secret who;
  std::string upstream;  // a name; "": none was given
};

// The Error names the member and what is wrong with it, never a value.
Result<ParsedOrder> parse_order(std::string_view body, OrderKind kind);

}  // namespace claimsd::daemon
