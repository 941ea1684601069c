// handle.h: the Python type Handle: a claimsd_handle and the objects parsed from its answers.
//
// Any thread. The GIL is released while libclaimsd works. close() does not wait: the last call in
// flight or the last stream closes the claimsd_handle.
#pragma once

#include "client/python/ext/parsed_claims.h"
#include "client/python/ext/query_request.h"

namespace claimsd::python {

// The state of the module.
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

// Registers a user of the handle; false with ValueError set if the handle is closed.
bool enter(Handle* handle);
// Ends a use; the last user closes the handle if close() was called.
void leave(Handle* handle);

// (objects or None, Answer); frees the answer.
PyObject* take_answer(Handle* handle, claimsd_answer* answer);

}  // namespace claimsd::python
