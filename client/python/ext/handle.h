// handle.h: the Python type Handle: a claimsd_handle and the objects parsed from its answers.
//
// Any thread. The GIL is released while libclaimsd works. close() does not wait: calls in flight and
// streams have references to the claimsd_handle.
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
  PyObject_HEAD claimsd_handle* handle;  // one reference; nullptr: closed
  PyObject* make;
  Keys keys;
  PyObject* answer_type;
  PyObject* stream_type;
  ParsedClaims parsed;
};

PyObject* make_handle_type(PyObject* module);

// The claimsd_handle; nullptr with ValueError set if it is closed.
claimsd_handle* open_handle(const Handle* self);

// A reference for the length of a call that releases the GIL. Empty, with ValueError set, if the
// handle is closed.
class Borrowed {
 public:
  explicit Borrowed(const Handle* self) : handle_(claimsd_retain(open_handle(self))) {}
  Borrowed(const Borrowed&) = delete;
  Borrowed& operator=(const Borrowed&) = delete;
  ~Borrowed() { claimsd_close(handle_); }

  explicit operator bool() const { return handle_ != nullptr; }
  claimsd_handle* get() const { return handle_; }

 private:
  claimsd_handle* const handle_;
};

// (objects or None, Answer); frees the answer.
PyObject* take_answer(Handle* handle, claimsd_answer* answer);

}  // namespace claimsd::python
