// reply.h: reads replies of the admin API. A field that a daemon of another version does not send
// reads as "", 0 or false. All text passes through printable(). Single-threaded.
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

namespace claimsd::claimsctl {

// A part of a reply. Opaque for files that do not include simdjson.h, which takes seconds to compile.
using Element = simdjson::dom::element;

// A parsed JSON text. Owns its elements; copies share them.
class Reply {
 public:
  // nullopt if `text` is not JSON.
  static std::optional<Reply> parse(std::string_view text);

  const Element& root() const { return *root_; }

 private:
  explicit Reply(std::shared_ptr<const Element> root) : root_(std::move(root)) {}

  std::shared_ptr<const Element> root_;  // also keeps its parser alive
};

std::string text_at(const Element& from, std::string_view pointer);
double number_at(const Element& from, std::string_view pointer);
std::uint64_t count_at(const Element& from, std::string_view pointer);
bool truth_at(const Element& from, std::string_view pointer);
// True if there is a value other than null.
bool has(const Element& from, std::string_view pointer);

using ElementVisit = std::function<void(const Element&)>;
// Calls `visit` for each element of an array.
void each_at(const Element& from, std::string_view pointer, const ElementVisit& visit);
// Calls `visit` with the object at `pointer`. False if there is none.
bool object_at(const Element& from, std::string_view pointer, const ElementVisit& visit);
// Calls `visit(name, value)` for each member of an object.
void each_member_at(const Element& from, std::string_view pointer,
                    const std::function<void(const std::string&, const Element&)>& visit);

// JSON in one line.
std::string json_text(const Element& element);
// The same of an object, with the schema of claimsctl's output as its first member.
std::string json_with_schema(const Element& object);
// JSON without its line breaks and other white space; "" if a string in it does not end.
std::string on_one_line(std::string_view json);

// The error that the daemon reported, for a reply other than 200.
Problem refused(const AdminReply& reply, const std::string& socket);

// The object of a 200 reply; otherwise the reason why there is none.
Expected<Reply> read_reply(const Expected<AdminReply>& reply, const std::string& socket);

}  // namespace claimsd::claimsctl
