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

std::uint64_t hash_of(const claimsd_answer* answer) {
  std::size_t size = 0;
  const char* const json = claimsd_answer_json(answer, &size);
  return hash_of({json, size}) ^ hash_of(claimsd_answer_id(answer)) ^
         (static_cast<std::uint64_t>(claimsd_answer_truncated(answer)) << 32);
}

// Visits the texts that identify claims, even if the JSON was omitted for its size. Each text ends
// with NUL and contains no other NUL.
template <class Take>
void each_text(const claimsd_answer* answer, const Take& take) {
  std::size_t size = 0;
  const char* const json = claimsd_answer_json(answer, &size);
  take(std::string_view(json, size));
  take(std::string_view(claimsd_answer_id(answer)));
  take(std::string_view(claimsd_answer_email(answer)));
  const std::size_t roles = claimsd_answer_role_count(answer);
  for (std::size_t at = 0; at < roles; ++at) {
    take(std::string_view(claimsd_answer_role(answer, at)));
  }
}

std::size_t size_of_texts(const claimsd_answer* answer) {
  std::size_t size = 0;
  each_text(answer, [&size](std::string_view text) { size += text.size() + 1; });
  return size;
}

// `place` holds as much as size_of_texts() says.
void copy_texts(const claimsd_answer* answer, char* place) {
  each_text(answer, [&place](std::string_view text) {
    std::memcpy(place, text.data(), text.size() + 1);
    place += text.size() + 1;
  });
}

// Compares with the copy at `place`.
bool has_texts(const claimsd_answer* answer, const char* place) {
  bool same = true;
  each_text(answer, [&same, &place](std::string_view text) {
    same = same && std::memcmp(place, text.data(), text.size() + 1) == 0;
    place += text.size() + 1;
  });
  return same;
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
  PyObject* const truncated = claimsd_answer_truncated(answer) != 0 ? Py_True : Py_False;
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
  if (sets_ == nullptr) sets_ = static_cast<Set*>(std::calloc(kSets, sizeof(Set)));
  if (sets_ == nullptr) return call_make(answer, make).release();
  const std::uint64_t hash = hash_of(answer);
  const std::size_t size = size_of_texts(answer);
  for (const Entry& found : sets_[hash % kSets].ways) {
    if (found.hash == hash && found.size == size && has_texts(answer, found.texts)) {
      return Py_NewRef(found.objects);
    }
  }
  return make_and_keep(answer, make, hash, size);
}

PyObject* ParsedClaims::make_and_keep(const claimsd_answer* answer, PyObject* make,
                                      std::uint64_t hash, std::size_t size) {
  Ref objects = call_make(answer, make);
  if (!objects || sets_ == nullptr) return objects.release();  // the call above cleared the table
  empty(place_in(sets_[hash % kSets]));
  if (sets_ == nullptr) return objects.release();  // empty() ran code that cleared the table
  Entry& entry = place_in(sets_[hash % kSets]);
  if (entry.texts != nullptr) return objects.release();  // another call filled the entry first
  auto* const texts = static_cast<char*>(std::malloc(size));
  if (texts == nullptr) return objects.release();
  copy_texts(answer, texts);
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
