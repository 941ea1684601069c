// answer_object.h: what became of a question, as a Python object: a named tuple
// (verdict, reason, text, source, age_ms, ttl_ms, retry_after_ms). Holds no claim. Needs the GIL.
#pragma once

#include "client/include/claimsd.h"
#include "client/python/ext/ref.h"

namespace claimsd::python {

// Makes the type; a new reference, nullptr with an exception set.
PyObject* make_answer_type();

// Null where memory is lacking; an exception is set then. `answer` may be null: unavailable.
Ref answer_object(PyObject* type, const claimsd_answer* answer);

}  // namespace claimsd::python
