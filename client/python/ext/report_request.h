// report_request.h: reads the arguments of report(). Needs the GIL. The result points into the
// caller's arguments, which live as long as the call.
#pragma once

#include "client/include/claimsd.h"
#include "client/python/ext/ref.h"

namespace claimsd::python {

// (status, *, token, reason, user, method, route, required, client_address, trace_id, timeout_ms,
// await_record).
// False with an exception set.
bool read_report_request(PyObject* arguments, PyObject* keywords, claimsd_report_request& out);

}  // namespace claimsd::python
