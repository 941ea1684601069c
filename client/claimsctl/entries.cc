#include "client/claimsctl/entries.h"

#include <fmt/core.h>

namespace claimsd::claimsctl {
namespace {

// RFC 3986, section 2.3: everything but the unreserved characters is escaped.
std::string escaped(std::string_view text) {
  constexpr std::string_view kPlain =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";
  std::string out;
  for (const char c : text) {
    if (kPlain.find(c) != std::string_view::npos) {
      out += c;
    } else {
      out += fmt::format("%{:02X}", static_cast<unsigned char>(c));
    }
  }
  return out;
}

}  // namespace

Expected<void> each_entry(const Globals& globals, const std::string& user,
                          const std::function<bool(const Element&)>& visit) {
  std::string cursor;
  do {
    std::string path = "/v1/entries?limit=500";
    if (!cursor.empty()) path += "&after=" + cursor;
    if (!user.empty()) path += "&user=" + escaped(user);
    const auto page = read_reply(admin_get(globals.admin_socket, path), globals.admin_socket);
    if (!page) return tl::make_unexpected(page.error());
    bool more = true;
    each_at(page->root(), "/entries", [&](const Element& entry) { more = more && visit(entry); });
    cursor = more ? text_at(page->root(), "/next") : "";
  } while (!cursor.empty());
  return {};
}

std::string state_text(const Element& entry, const Output& output) {
  const auto state = text_at(entry, "/state");
  const Colour colour = state == "fresh"                          ? Colour::kGood
                        : state == "revoked" || state == "purged" ? Colour::kBad
                                                                  : Colour::kUnsure;
  return output.coloured(colour, state);
}

std::string length_text(const Element& entry, std::string_view pointer) {
  const double seconds = number_at(entry, pointer);
  return seconds > 0 ? duration_text(seconds) : "-";
}

}  // namespace claimsd::claimsctl
