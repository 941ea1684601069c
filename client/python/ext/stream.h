// stream.h: the Python type Stream: many questions at once over one descriptor, for event loops.
// It never blocks and so keeps the GIL. One thread at a time, the loop's own.
#pragma once

#include "client/python/ext/handle.h"

namespace claimsd::python {

PyObject* make_stream_type(PyObject* module);

// Opens one; a new reference, nullptr with an exception set.
PyObject* stream_on(Handle* handle, PyObject* stream_type);

}  // namespace claimsd::python
