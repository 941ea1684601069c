// answer_object.h: the result of a query as a Python named tuple (verdict, reason, text, source,
// age_ms, ttl_ms, retry_after_ms). Contains no claims. Needs the GIL.
#pragma once

#include "client/include/claimsd.h"
#include "client/python/ext/ref.h"

namespace claimsd::python {

// Creates the type. Returns a new reference, or nullptr with an exception set.
PyObject* make_answer_type();

// Null with an exception set if out of memory. A null `answer` reads as unavailable.
Ref answer_object(PyObject* type, const claimsd_answer* answer);

}  // namespace claimsd::python
