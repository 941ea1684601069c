// reply.h: reads replies of the admin API. A field that a daemon of another version does not send
// reads as "", 0 or false. All text passes through printable(). Single-threaded.
#pragma once

#include <simdjson.h>

#include <string>
#include <string_view>

#include "client/claimsctl/admin_client.h"
#include "client/claimsctl/output.h"

namespace claimsd::ctl {

using Element = simdjson::dom::element;

std::string text_at(const Element& from, std::string_view pointer);
double number_at(const Element& from, std::string_view pointer);
std::uint64_t count_at(const Element& from, std::string_view pointer);
bool truth_at(const Element& from, std::string_view pointer);

// Calls `visit(element)` for each element of an array.
template <class Visit>
void each_at(const Element& from, std::string_view pointer, Visit&& visit) {
  simdjson::dom::array array;
  if (from.at_pointer(pointer).get(array) != simdjson::SUCCESS) return;
  for (const Element element : array) visit(element);
}

// The error that the daemon reported, for a reply other than 200.
Problem refused(const AdminReply& reply, const std::string& socket);

// The object of a 200 reply, valid as long as `parser`; otherwise the reason why there is none.
Expected<Element> read_reply(const Expected<AdminReply>& reply, const std::string& socket,
                             simdjson::dom::parser& parser);

}  // namespace claimsd::ctl
