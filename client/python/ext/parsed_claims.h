// parsed_claims.h: what Python made of a claims document, kept beside the document.
//
// Parsing 300 bytes of JSON into Python objects costs more than finding them does. A document that
// was parsed once is recognised by its text (and by id, email and roles, which come beside it) and
// its objects are handed out again: they are immutable. The table decides nothing: it is looked at
// only after libclaimsd said "valid", with exactly what it said.
//
// Owned by a Handle; needs the GIL. Bounded: where a set is full one of it is given up. Claims
// stay in it until they are replaced or clear() is called; the copies of the texts are wiped.
#pragma once

#include <cstddef>
#include <cstdint>

#include "client/include/claimsd.h"
#include "client/python/ext/ref.h"

namespace claimsd::python {

class ParsedClaims {
 public:
  ParsedClaims() = default;
  ParsedClaims(const ParsedClaims&) = delete;
  ParsedClaims& operator=(const ParsedClaims&) = delete;
  ~ParsedClaims();

  // What `make(json, id, email, roles)` returned for a valid answer, now or earlier. A new
  // reference; nullptr with an exception set.
  PyObject* objects_of(const claimsd_answer* answer, PyObject* make);

  int traverse(visitproc visit, void* arg);
  void clear();

 private:
  struct Entry {
    std::uint64_t hash;
    std::size_t size;
    char* texts;  // see each_text(); nullptr: free
    PyObject* objects;
  };
  static constexpr std::size_t kWays = 4;
  struct Set {
    Entry ways[kWays];
  };
  // A set for each of as many users as libclaimsd's own table knows by default: four of them are
  // seldom met in one.
  static constexpr std::size_t kSets = 512;  // a power of two

  static void empty(Entry& entry);
  Entry& place_in(Set& set);
  PyObject* make_and_keep(const claimsd_answer* answer, PyObject* make, std::uint64_t hash,
                          std::size_t size);

  Set* sets_ = nullptr;     // made at first use
  std::size_t victim_ = 0;  // the way that is given up next where all of a set are taken
};

}  // namespace claimsd::python
