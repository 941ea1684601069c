// parsed_claims.h: what Python made of a claims document, kept beside the document.
//
// Parsing 300 bytes of JSON into Python objects costs more than finding them does. A document that
// was parsed once is recognised by its bytes (and by id, email and roles, which come beside it) and
// its objects are handed out again: they are immutable. The table decides nothing: it is looked at
// only after libclaimsd said "valid", with exactly what it said.
//
// Owned by a Handle; needs the GIL. Bounded: a set is one entry, the newer document wins. Claims
// stay in it until they are replaced or clear() is called; the copies of the documents are wiped.
#pragma once

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
    char* document;  // see document_of(); nullptr: free
    std::size_t size;
    PyObject* objects;
  };
  static constexpr std::size_t kEntries = 1024;  // a power of two

  static void empty(Entry& entry);

  Entry* entries_ = nullptr;  // made at first use
  char* scratch_ = nullptr;   // of the document that is being looked for
  std::size_t scratch_size_ = 0;

  std::size_t write_document(const claimsd_answer* answer);
};

}  // namespace claimsd::python
