// stream.h: the Python type Stream: many concurrent queries over one descriptor, for event loops.
// Never blocks, so it keeps the GIL. One thread at a time: the event loop's.
#pragma once

#include "client/python/ext/handle.h"

namespace claimsd::python {

PyObject* make_stream_type(PyObject* module);

// Opens one; a new reference, nullptr with an exception set.
PyObject* stream_on(Handle* handle, PyObject* stream_type);

}  // namespace claimsd::python
