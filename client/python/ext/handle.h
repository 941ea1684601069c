// handle.h: the Python type Handle: a claimsd_handle and what its answers were parsed into.
//
// Any thread may use it. The GIL is released while libclaimsd works, so close() waits for nobody:
// the last call in flight, or the last stream, closes what is under it.
#pragma once

#include "client/python/ext/parsed_claims.h"
#include "client/python/ext/query_request.h"

namespace claimsd::python {

// What the module keeps for its types.
struct ModuleState {
  PyObject* answer_type;
  PyObject* stream_type;
};

struct Handle {
  PyObject_HEAD claimsd_handle* handle;  // nullptr: closed
  std::size_t users;                     // calls in flight and streams
  bool closing;
  PyObject* make;
  Keys keys;
  PyObject* answer_type;
  PyObject* stream_type;
  ParsedClaims parsed;
};

PyObject* make_handle_type(PyObject* module);

// Takes part in the handle; false with ValueError when it is closed.
bool enter(Handle* handle);
// Ends that; the last one closes it where close() was called.
void leave(Handle* handle);

// (objects or None, Answer); gives the answer back to libclaimsd.
PyObject* take_answer(Handle* handle, claimsd_answer* answer);

}  // namespace claimsd::python
