#include "client/python/ext/parsed_claims.h"

#include <string.h>

#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <string_view>

namespace claimsd::python {
namespace {

// Not against an enemy: whoever writes the claims is who we ask. A clash costs a parse.
std::uint64_t hash_of(const char* text, std::size_t size) {
  constexpr std::uint64_t kMultiplier = 0x9e3779b97f4a7c15;
  std::uint64_t hash = size * kMultiplier;
  while (size > 0) {
    std::uint64_t word = 0;
    const std::size_t step = size < sizeof word ? size : sizeof word;
    std::memcpy(&word, text, step);
    hash = (hash ^ word) * kMultiplier;
    hash ^= hash >> 32;
    text += step;
    size -= step;
  }
  return hash;
}

Ref text_of(const char* text) {
  return Ref(PyUnicode_DecodeUTF8(text, static_cast<Py_ssize_t>(std::strlen(text)), "strict"));
}

Ref call_make(const claimsd_answer* answer, PyObject* make) {
  std::size_t size = 0;
  const char* const json = claimsd_answer_json(answer, &size);
  const Ref document(PyUnicode_DecodeUTF8(json, static_cast<Py_ssize_t>(size), "strict"));
  const Ref id = text_of(claimsd_answer_id(answer));
  const Ref email = text_of(claimsd_answer_email(answer));
  const std::size_t count = claimsd_answer_role_count(answer);
  const Ref roles(PyTuple_New(static_cast<Py_ssize_t>(count)));
  if (!document || !id || !email || !roles) return {};
  for (std::size_t at = 0; at < count; ++at) {
    Ref role = text_of(claimsd_answer_role(answer, at));
    if (!role || PyTuple_SetItem(roles.get(), static_cast<Py_ssize_t>(at), role.release()) != 0) {
      return {};
    }
  }
  return Ref(PyObject_CallFunctionObjArgs(make, document.get(), id.get(), email.get(), roles.get(),
                                          nullptr));
}

}  // namespace

ParsedClaims::~ParsedClaims() {
  clear();
}

void ParsedClaims::empty(Entry& entry) {
  if (entry.document == nullptr) return;
  explicit_bzero(entry.document, entry.size);
  std::free(entry.document);
  PyObject* const objects = entry.objects;
  entry = {};
  Py_XDECREF(objects);  // last: it may run Python, which may come back here
}

// id, email, roles and JSON, each with its NUL: no two claims give the same bytes, also where the
// JSON was left out for its size. Returns the size; 0 for lack of memory.
std::size_t ParsedClaims::write_document(const claimsd_answer* answer) {
  std::size_t json_size = 0;
  const std::string_view json(claimsd_answer_json(answer, &json_size), json_size);
  const std::string_view id = claimsd_answer_id(answer);
  const std::string_view email = claimsd_answer_email(answer);
  const std::size_t roles = claimsd_answer_role_count(answer);
  std::size_t size = id.size() + email.size() + json.size() + 3 + sizeof roles;
  for (std::size_t at = 0; at < roles; ++at) {
    size += std::strlen(claimsd_answer_role(answer, at)) + 1;
  }
  if (size > scratch_size_) {
    auto* const larger = static_cast<char*>(std::malloc(size));
    if (larger == nullptr) return 0;
    if (scratch_ != nullptr) explicit_bzero(scratch_, scratch_size_);
    std::free(scratch_);
    scratch_ = larger;
    scratch_size_ = size;
  }
  char* place = scratch_;
  const auto append = [&place](std::string_view text) {
    std::memcpy(place, text.data(), text.size());
    place[text.size()] = '\0';
    place += text.size() + 1;
  };
  std::memcpy(place, &roles, sizeof roles);
  place += sizeof roles;
  append(json);
  append(id);
  append(email);
  for (std::size_t at = 0; at < roles; ++at) append(claimsd_answer_role(answer, at));
  return size;
}

PyObject* ParsedClaims::objects_of(const claimsd_answer* answer, PyObject* make) {
  if (entries_ == nullptr) entries_ = static_cast<Entry*>(std::calloc(kEntries, sizeof(Entry)));
  const std::size_t size = entries_ == nullptr ? 0 : write_document(answer);
  if (size == 0) return call_make(answer, make).release();
  const std::size_t slot = hash_of(scratch_, size) & (kEntries - 1);
  const Entry& found = entries_[slot];
  if (found.size == size && std::memcmp(found.document, scratch_, size) == 0) {
    return Py_NewRef(found.objects);
  }
  // Copied before Python runs: `make` may let another thread come here and use the scratch.
  auto* const document = static_cast<char*>(std::malloc(size));
  if (document != nullptr) std::memcpy(document, scratch_, size);
  Ref objects = call_make(answer, make);
  if (document == nullptr) return objects.release();
  if (!objects || entries_ == nullptr) {  // cleared meanwhile
    explicit_bzero(document, size);
    std::free(document);
    return objects.release();
  }
  empty(entries_[slot]);
  if (entries_ == nullptr || entries_[slot].document != nullptr) {  // what it ran was faster
    explicit_bzero(document, size);
    std::free(document);
    return objects.release();
  }
  entries_[slot] = {document, size, Py_NewRef(objects.get())};
  return objects.release();
}

int ParsedClaims::traverse(visitproc visit, void* arg) {
  if (entries_ == nullptr) return 0;
  for (std::size_t at = 0; at < kEntries; ++at) Py_VISIT(entries_[at].objects);
  return 0;
}

void ParsedClaims::clear() {
  Entry* const entries = entries_;
  entries_ = nullptr;
  if (scratch_ != nullptr) explicit_bzero(scratch_, scratch_size_);
  std::free(scratch_);
  scratch_ = nullptr;
  scratch_size_ = 0;
  if (entries == nullptr) return;
  for (std::size_t at = 0; at < kEntries; ++at) empty(entries[at]);
  std::free(entries);
}

}  // namespace claimsd::python
