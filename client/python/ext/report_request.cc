#include "client/python/ext/report_request.h"

namespace claimsd::python {

bool read_report_request(PyObject* arguments, PyObject* keywords, claimsd_report_request& out) {
  static const char* const names[] = {"status",   "token",      "reason",       "user",
                                      "method",   "route",      "required",     "client_address",
                                      "trace_id", "timeout_ms", "await_record", nullptr};
  out = CLAIMSD_REPORT_REQUEST_INIT;
  unsigned int status = 0;
  unsigned int timeout_ms = 0;
  int await_record = 0;
  Py_ssize_t token_size = 0;
  if (PyArg_ParseTupleAndKeywords(
          arguments, keywords, "I|$z#zzzzzzzIp:report", const_cast<char**>(names), &status,
          &out.token, &token_size, &out.reason, &out.user, &out.method, &out.route, &out.required,
          &out.client_address, &out.trace_id, &timeout_ms, &await_record) == 0) {
    return false;
  }
  out.status = status;
  out.timeout_ms = timeout_ms;
  out.flags = await_record != 0 ? CLAIMSD_AWAIT_RECORD : 0;
  out.token_size = static_cast<std::size_t>(token_size);
  if (status >= CLAIMSD_MIN_STATUS && status <= CLAIMSD_MAX_STATUS) return true;
  PyErr_SetString(PyExc_ValueError, "report() takes an HTTP status of a refusal: 400 to 599");
  return false;
}

}  // namespace claimsd::python
