#include "client/python/ext/parsed_claims.h"

#include <string.h>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <string_view>

namespace claimsd::python {
namespace {

// Needs no resistance to attacks: the trusted Auth API writes the claims, and a collision costs
// only a parse. Uses lanes because each multiplication waits for the previous one.
std::uint64_t hash_of(std::string_view text) {
  constexpr std::uint64_t kMultiplier = 0x9e3779b97f4a7c15;
  std::uint64_t lanes[4] = {text.size(), 1, 2, 3};
  const auto absorb = [&lanes](const char* block) {
    for (std::uint64_t& lane : lanes) {
      std::uint64_t word;
      std::memcpy(&word, block, sizeof word);
      block += sizeof word;
      lane = (lane ^ word) * kMultiplier;
      lane ^= lane >> 32;
    }
  };
  const char* at = text.data();
  const char* const end = at + text.size();
  for (; end - at >= static_cast<std::ptrdiff_t>(sizeof lanes); at += sizeof lanes) absorb(at);
  char last[sizeof lanes]{};
  std::memcpy(last, at, static_cast<std::size_t>(end - at));
  absorb(last);
  std::uint64_t hash = 0;
  for (const std::uint64_t lane : lanes) hash = (hash ^ lane) * kMultiplier;
  return hash >> 32;
}

claimsd_answer_view view_of(const claimsd_answer* answer) {
  claimsd_answer_view view = CLAIMSD_ANSWER_VIEW_INIT;
  claimsd_read_answer(answer, &view);
  return view;
}

std::uint64_t hash_of(const claimsd_answer_view& view) {
  return hash_of({view.json, view.json_size}) ^ hash_of({view.id, view.id_size});
}

// Visits the texts that identify claims, even if the JSON was omitted for its size. Each includes
// its NUL, or the NULs of the roles, and no other NUL.
template <class Take>
void each_text(const claimsd_answer_view& view, const Take& take) {
  take(view.json, view.json_size + 1);
  take(view.id, view.id_size + 1);
  take(view.email, view.email_size + 1);
  take(view.roles, view.roles_size);
}

std::size_t size_of_texts(const claimsd_answer_view& view) {
  return view.json_size + view.id_size + view.email_size + view.roles_size + 3;
}

// `place` holds as much as size_of_texts() says.
void copy_texts(const claimsd_answer_view& view, char* place) {
  each_text(view, [&place](const char* text, std::size_t size) {
    std::memcpy(place, text, size);
    place += size;
  });
}

// Compares with the copy of as many bytes at `place`.
bool has_texts(const claimsd_answer_view& view, const char* place) {
  bool same = true;
  each_text(view, [&same, &place](const char* text, std::size_t size) {
    same = same && std::memcmp(place, text, size) == 0;
    place += size;
  });
  return same;
}

Ref text_of(const char* text, std::size_t size) {
  return Ref(PyUnicode_DecodeUTF8(text, static_cast<Py_ssize_t>(size), "strict"));
}

Ref roles_of(const claimsd_answer_view& view) {
  Ref roles(PyTuple_New(static_cast<Py_ssize_t>(view.role_count)));
  const char* role = view.roles;
  for (std::uint32_t at = 0; roles && at < view.role_count; ++at) {
    const std::size_t size = std::strlen(role);
    Ref text = text_of(role, size);
    if (!text || PyTuple_SetItem(roles.get(), at, text.release()) != 0) return {};
    role += size + 1;
  }
  return roles;
}

Ref call_make(const claimsd_answer_view& view, PyObject* make) {
  const Ref document = text_of(view.json, view.json_size);
  const Ref id = text_of(view.id, view.id_size);
  const Ref email = text_of(view.email, view.email_size);
  const Ref roles = roles_of(view);
  if (!document || !id || !email || !roles) return {};
  PyObject* const truncated = view.truncated != 0 ? Py_True : Py_False;
  return Ref(PyObject_CallFunctionObjArgs(make, document.get(), id.get(), email.get(), roles.get(),
                                          truncated, nullptr));
}

}  // namespace

ParsedClaims::~ParsedClaims() {
  clear();
}

void ParsedClaims::empty(Entry& entry) {
  if (entry.texts == nullptr) return;
  explicit_bzero(entry.texts, entry.size);
  std::free(entry.texts);
  PyObject* const objects = entry.objects;
  entry = {};
  Py_XDECREF(objects);  // last: it may run Python code that calls this object again
}

ParsedClaims::Entry& ParsedClaims::place_in(Set& set) {
  for (Entry& entry : set.ways) {
    if (entry.texts == nullptr) return entry;
  }
  return set.ways[victim_++ % kWays];
}

PyObject* ParsedClaims::objects_of(const claimsd_answer* answer, PyObject* make) {
  const claimsd_answer_view view = view_of(answer);
  if (sets_ == nullptr) sets_ = static_cast<Set*>(std::calloc(kSets, sizeof(Set)));
  if (sets_ == nullptr) return call_make(view, make).release();
  const std::uint64_t hash = hash_of(view);
  const std::size_t size = size_of_texts(view);
  for (const Entry& found : sets_[hash % kSets].ways) {
    if (found.hash == hash && found.size == size && has_texts(view, found.texts)) {
      return Py_NewRef(found.objects);
    }
  }
  return make_and_keep(view, make, hash, size);
}

PyObject* ParsedClaims::make_and_keep(const claimsd_answer_view& view, PyObject* make,
                                      std::uint64_t hash, std::size_t size) {
  Ref objects = call_make(view, make);
  if (!objects || sets_ == nullptr) return objects.release();  // the call above cleared the table
  empty(place_in(sets_[hash % kSets]));
  if (sets_ == nullptr) return objects.release();  // empty() ran code that cleared the table
  Entry& entry = place_in(sets_[hash % kSets]);
  if (entry.texts != nullptr) return objects.release();  // another call filled the entry first
  auto* const texts = static_cast<char*>(std::malloc(size));
  if (texts == nullptr) return objects.release();
  copy_texts(view, texts);
  entry = {hash, size, texts, Py_NewRef(objects.get())};
  return objects.release();
}

int ParsedClaims::traverse(visitproc visit, void* arg) {
  if (sets_ == nullptr) return 0;
  for (std::size_t at = 0; at < kSets; ++at) {
    for (const Entry& entry : sets_[at].ways) Py_VISIT(entry.objects);
  }
  return 0;
}

void ParsedClaims::clear() {
  Set* const sets = sets_;
  sets_ = nullptr;
  if (sets == nullptr) return;
  for (std::size_t at = 0; at < kSets; ++at) {
    for (Entry& entry : sets[at].ways) empty(entry);
  }
  std::free(sets);
}

}  // namespace claimsd::python
