// reply.h: what the admin API answered, read. What a daemon of another version does not say reads
// as "", 0 or false; all text passes printable(). One thread.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "client/claimsctl/admin_client.h"
#include "client/claimsctl/output.h"

namespace simdjson::dom {
class element;
}

namespace claimsd::ctl {

// A part of a reply. Only files that include simdjson.h, which takes seconds to compile, see into it.
using Element = simdjson::dom::element;

// Owns the elements of a text. A copy shares them.
class Reply {
 public:
  // None where `text` is not JSON.
  static std::optional<Reply> parse(std::string_view text);

  const Element& root() const { return *root_; }

 private:
  explicit Reply(std::shared_ptr<const Element> root) : root_(std::move(root)) {}

  std::shared_ptr<const Element> root_;  // keeps its parser alive, too
};

std::string text_at(const Element& from, std::string_view pointer);
double number_at(const Element& from, std::string_view pointer);
std::uint64_t count_at(const Element& from, std::string_view pointer);
bool truth_at(const Element& from, std::string_view pointer);
// Is there something other than null?
bool has(const Element& from, std::string_view pointer);

using ElementVisit = std::function<void(const Element&)>;
// Calls `visit` for each element of an array.
void each_at(const Element& from, std::string_view pointer, const ElementVisit& visit);
// Calls `visit` with the object there. False if there is none.
bool object_at(const Element& from, std::string_view pointer, const ElementVisit& visit);
// Calls `visit(name, value)` for each member of an object.
void each_member_at(const Element& from, std::string_view pointer,
                    const std::function<void(const std::string&, const Element&)>& visit);

// As JSON, in one line.
std::string json_text(const Element& element);

// What the daemon says went wrong, in a reply other than 200.
Problem refused(const AdminReply& reply, const std::string& socket);

// The object of a 200. Else why there is none.
Expected<Reply> read_reply(const Expected<AdminReply>& reply, const std::string& socket);

}  // namespace claimsd::ctl
