// parsed_claims.h: a cache of the Python objects that claims documents were parsed into.
//
// Parsing 300 bytes of JSON costs more than a lookup here. A document is recognized by its text,
// id, email and roles; its immutable objects are then returned again. The cache makes no decision:
// it is used only after libclaimsd returned "valid", with exactly that document.
//
// Owned by a Handle; needs the GIL. Bounded: a full set evicts one entry. Claims stay until they
// are replaced or clear() is called; the copies of the texts are wiped.
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

  // The result of `make(json, id, email, roles, truncated)` for a valid answer, new or cached. A new
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
  // One set for each default entry of libclaimsd's table, so that sets rarely fill up.
  static constexpr std::size_t kSets = 512;  // a power of two

  static void empty(Entry& entry);
  Entry& place_in(Set& set);
  PyObject* make_and_keep(const claimsd_answer_view& view, PyObject* make, std::uint64_t hash,
                          std::size_t size);

  Set* sets_ = nullptr;     // allocated at first use
  std::size_t victim_ = 0;  // the way to evict next from a full set
};

}  // namespace claimsd::python
