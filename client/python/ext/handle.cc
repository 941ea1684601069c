#include "client/python/ext/handle.h"

#include <new>

#include "client/python/ext/answer_object.h"
#include "client/python/ext/bearer.h"
#include "client/python/ext/query_request.h"
#include "client/python/ext/report_request.h"
#include "client/python/ext/stream.h"

namespace claimsd::python {
namespace {

Handle* self_of(PyObject* object) {
  return reinterpret_cast<Handle*>(object);
}

PyObject* reason_of(Bearer::Kind kind) {
  return PyUnicode_InternFromString(kind == Bearer::Kind::kTooLong ? "too_long" : "malformed");
}

// Returns the parsed objects if valid, otherwise the Answer.
PyObject* look_up(Handle* self, const QueryRequest& request) {
  const Borrowed handle(self);
  if (!handle) return nullptr;
  claimsd_answer* answer = nullptr;
  claimsd_result result = CLAIMSD_UNAVAILABLE;
  Py_BEGIN_ALLOW_THREADS;
  result = claimsd_query(handle.get(), &request.fields, &answer);
  Py_END_ALLOW_THREADS;
  // Check both: only a valid answer may become a user.
  PyObject* found = nullptr;
  if (result == CLAIMSD_VALID && claimsd_answer_verdict(answer) == CLAIMSD_VALID) {
    found = self->parsed.objects_of(answer, self->make);
  } else {
    found = answer_object(self->answer_type, answer).release();
  }
  claimsd_answer_free(answer);
  return found;
}

PyObject* identify(PyObject* object, PyObject* const* arguments, Py_ssize_t count) {
  if (count != 2 || !PyDict_Check(arguments[0])) {
    PyErr_SetString(PyExc_TypeError, "identify() takes a request's META (a dict) and its route");
    return nullptr;
  }
  // Hold a reference: another thread may change META while the GIL is released.
  const Ref header =
      Ref::of(PyDict_GetItemWithError(arguments[0], self_of(object)->keys.authorization));
  if (!header) {
    if (PyErr_Occurred() != nullptr) return nullptr;
    Py_RETURN_NONE;
  }
  const std::string_view text = utf8_of(header.get());
  if (text.data() == nullptr) return reason_of(Bearer::Kind::kMalformed);
  const Bearer bearer = parse_bearer(text);
  if (bearer.kind == Bearer::Kind::kNotOurs) Py_RETURN_NONE;
  if (bearer.kind != Bearer::Kind::kToken) return reason_of(bearer.kind);
  return look_up(self_of(object),
                 QueryRequest(bearer.token, self_of(object)->keys, arguments[0], arguments[1]));
}

// Keeps the GIL: releasing and reacquiring it takes longer than the lookup. The characters of the
// token are not checked: a malformed token is never in the cache.
PyObject* known(PyObject* object, PyObject* meta) {
  Handle* const self = self_of(object);
  if (!PyDict_Check(meta)) {
    PyErr_SetString(PyExc_TypeError, "known() takes a request's META (a dict)");
    return nullptr;
  }
  PyObject* const header = PyDict_GetItemWithError(meta, self->keys.authorization);
  if (header == nullptr && PyErr_Occurred() != nullptr) return nullptr;
  const Bearer bearer = split_bearer(header == nullptr ? std::string_view() : utf8_of(header));
  if (bearer.kind != Bearer::Kind::kToken) Py_RETURN_NONE;
  if (open_handle(self) == nullptr) return nullptr;
  claimsd_query_request request = CLAIMSD_QUERY_REQUEST_INIT;
  request.token = bearer.token.data();
  request.token_size = bearer.token.size();
  claimsd_answer* answer = nullptr;
  const bool is_known = claimsd_peek(self->handle, &request, &answer) == CLAIMSD_VALID &&
                        claimsd_answer_verdict(answer) == CLAIMSD_VALID;
  PyObject* const found =
      is_known ? self->parsed.objects_of(answer, self->make) : Py_NewRef(Py_None);
  claimsd_answer_free(answer);
  return found;
}

PyObject* identify_token(PyObject* object, PyObject* const* arguments, Py_ssize_t count) {
  if (count != 3 || !PyUnicode_Check(arguments[0])) {
    PyErr_SetString(PyExc_TypeError,
                    "identify_token() takes a token (a str), a request's META and its route");
    return nullptr;
  }
  const std::string_view text = utf8_of(arguments[0]);
  const Bearer bearer = check_token(text);
  if (bearer.kind != Bearer::Kind::kToken) return reason_of(bearer.kind);
  return look_up(self_of(object),
                 QueryRequest(bearer.token, self_of(object)->keys, arguments[1], arguments[2]));
}

PyObject* query(PyObject* object, PyObject* arguments, PyObject* keywords) {
  static const char* const names[] = {"token",      "meta",       "route",
                                      "timeout_ms", "max_age_ms", nullptr};
  const char* token = nullptr;
  Py_ssize_t size = 0;
  unsigned int timeout_ms = 0;
  unsigned int max_age_ms = CLAIMSD_ANY_AGE;
  PyObject* meta = Py_None;
  PyObject* route = Py_None;
  if (PyArg_ParseTupleAndKeywords(arguments, keywords, "s#|$OOII:query", const_cast<char**>(names),
                                  &token, &size, &meta, &route, &timeout_ms, &max_age_ms) == 0) {
    return nullptr;
  }
  Handle* const self = self_of(object);
  QueryRequest request({token, static_cast<std::size_t>(size)}, self->keys, meta, route);
  request.fields.timeout_ms = timeout_ms;
  request.fields.max_age_ms = max_age_ms;
  const Borrowed handle(self);
  if (!handle) return nullptr;
  claimsd_answer* answer = nullptr;
  Py_BEGIN_ALLOW_THREADS;
  claimsd_query(handle.get(), &request.fields, &answer);
  Py_END_ALLOW_THREADS;
  PyObject* const found = take_answer(self, answer);
  return found;
}

PyObject* report(PyObject* object, PyObject* arguments, PyObject* keywords) {
  claimsd_report_request report_request;
  if (!read_report_request(arguments, keywords, report_request)) return nullptr;
  Handle* const self = self_of(object);
  const Borrowed handle(self);
  if (!handle) return nullptr;
  claimsd_answer* answer = nullptr;
  claimsd_result result = CLAIMSD_UNAVAILABLE;
  Py_BEGIN_ALLOW_THREADS;
  result = claimsd_report(handle.get(), &report_request, &answer);
  Py_END_ALLOW_THREADS;
  PyObject* const why_not = result == CLAIMSD_RECORDED || result == CLAIMSD_SENT
                                ? Py_NewRef(Py_None)
                                : answer_object(self->answer_type, answer).release();
  claimsd_answer_free(answer);
  return why_not;
}

PyObject* ping(PyObject* object, PyObject* arguments, PyObject* keywords) {
  static const char* const names[] = {"timeout_ms", nullptr};
  unsigned int timeout_ms = 0;
  if (PyArg_ParseTupleAndKeywords(arguments, keywords, "|$I:ping", const_cast<char**>(names),
                                  &timeout_ms) == 0) {
    return nullptr;
  }
  Handle* const self = self_of(object);
  const Borrowed handle(self);
  if (!handle) return nullptr;
  claimsd_answer* answer = nullptr;
  claimsd_result result = CLAIMSD_UNAVAILABLE;
  std::uint64_t round_trip_ns = 0;
  Py_BEGIN_ALLOW_THREADS;
  result = claimsd_ping(handle.get(), timeout_ms, &round_trip_ns, &answer);
  Py_END_ALLOW_THREADS;
  PyObject* found = nullptr;
  if (result == CLAIMSD_OK) {
    found = Py_BuildValue("(KO)", static_cast<unsigned long long>(round_trip_ns), Py_None);
  } else {
    found = Py_BuildValue("(ON)", Py_None, answer_object(self->answer_type, answer).release());
  }
  claimsd_answer_free(answer);
  return found;
}

PyObject* statistics(PyObject* object, PyObject* /*none*/) {
  Handle* const self = self_of(object);
  const Borrowed handle(self);
  if (!handle) return nullptr;
  PyObject* found = nullptr;
#ifdef CLAIMSD_STATISTICS_INIT
  claimsd_statistics counts = CLAIMSD_STATISTICS_INIT;
  claimsd_read_statistics(handle.get(), &counts);
  found = Py_BuildValue("{s:K,s:K,s:K,s:K,s:K,s:K,s:O,s:s}", "local_hits",
                        static_cast<unsigned long long>(counts.local_hits), "shared_hits",
                        static_cast<unsigned long long>(counts.shared_hits), "socket_queries",
                        static_cast<unsigned long long>(counts.socket_queries), "maps",
                        static_cast<unsigned long long>(counts.maps), "reports_recorded",
                        static_cast<unsigned long long>(counts.reports_recorded), "reports_lost",
                        static_cast<unsigned long long>(counts.reports_lost), "map_in_use",
                        counts.map_in_use != 0 ? Py_True : Py_False, "map_text", counts.map_text);
#else
  found = PyDict_New();
#endif
  return found;
}

PyObject* open_stream(PyObject* object, PyObject* /*none*/) {
  Handle* const self = self_of(object);
  return stream_on(self, self->stream_type);
}

PyObject* close(PyObject* object, PyObject* /*none*/) {
  Handle* const self = self_of(object);
  self->parsed.clear();
  claimsd_close(self->handle);
  self->handle = nullptr;
  Py_RETURN_NONE;
}

PyObject* construct(PyTypeObject* type, PyObject* arguments, PyObject* keywords) {
  static const char* const names[] = {"make",       "socket",          "upstream",   "client_name",
                                      "timeout_ms", "max_connections", "daemon_uid", nullptr};
  PyObject* make = nullptr;
  claimsd_options options = CLAIMSD_OPTIONS_INIT;
  unsigned int timeout_ms = 0;
  unsigned int max_connections = 0;
  unsigned int daemon_uid = CLAIMSD_ANY_TRUSTED_UID;
  if (PyArg_ParseTupleAndKeywords(arguments, keywords, "O|$zzzIII:Handle",
                                  const_cast<char**>(names), &make, &options.socket_path,
                                  &options.upstream_url, &options.client_name, &timeout_ms,
                                  &max_connections, &daemon_uid) == 0) {
    return nullptr;
  }
  const auto* const state = static_cast<const ModuleState*>(PyType_GetModuleState(type));
  if (state == nullptr) return nullptr;
  options.timeout_ms = timeout_ms;
  options.max_connections = max_connections;
  options.daemon_uid = daemon_uid;
  const auto allocate =
      reinterpret_cast<allocfunc>(PyType_GetSlot(type, Py_tp_alloc));  // zeroes it
  auto* const self = reinterpret_cast<Handle*>(allocate(type, 0));
  if (self == nullptr) return nullptr;
  new (&self->parsed) ParsedClaims();
  self->make = Py_NewRef(make);
  self->answer_type = Py_NewRef(state->answer_type);
  self->stream_type = Py_NewRef(state->stream_type);
  if (!make_keys(self->keys)) {
    Py_DECREF(self);
    return nullptr;
  }
  const char* problem = nullptr;
  switch (claimsd_open(&options, &self->handle, &problem)) {
    case CLAIMSD_OK: return reinterpret_cast<PyObject*>(self);
    case CLAIMSD_NO_MEMORY: PyErr_NoMemory(); break;
    case CLAIMSD_BAD_ARGUMENT:
      PyErr_Format(PyExc_ValueError, "libclaimsd does not accept this option: %s", problem);
      break;
    default: PyErr_Format(PyExc_RuntimeError, "libclaimsd cannot be used: %s", problem);
  }
  Py_DECREF(self);
  return nullptr;
}

int traverse(PyObject* object, visitproc visit, void* arg) {
  Py_VISIT(Py_TYPE(object));
  Py_VISIT(self_of(object)->make);
  return self_of(object)->parsed.traverse(visit, arg);
}

int clear(PyObject* object) {
  Handle* const self = self_of(object);
  self->parsed.clear();
  Py_CLEAR(self->make);
  return 0;
}

void destroy(PyObject* object) {
  Handle* const self = self_of(object);
  PyTypeObject* const type = Py_TYPE(object);
  PyObject_GC_UnTrack(object);
  clear(object);
  self->parsed.~ParsedClaims();
  claimsd_close(self->handle);
  forget_keys(self->keys);
  Py_CLEAR(self->answer_type);
  Py_CLEAR(self->stream_type);
  reinterpret_cast<freefunc>(PyType_GetSlot(type, Py_tp_free))(object);
  Py_DECREF(type);
}

template <class Function>
PyCFunction method(Function* function) {
  return reinterpret_cast<PyCFunction>(reinterpret_cast<void (*)()>(function));
}

PyMethodDef methods[] = {
    {"known", known, METH_O,
     "known(meta): what `make` returned for the request's token if this process knows it; or "
     "None."},
    {"identify", method(identify), METH_FASTCALL,
     "identify(meta, route): None (no bearer header), what `make` returned (valid), a reason "
     "(rejected locally) or an Answer."},
    {"identify_token", method(identify_token), METH_FASTCALL,
     "identify_token(token, meta, route): like identify(), for a token that is not in META."},
    {"query", method(query), METH_VARARGS | METH_KEYWORDS,
     "query(token, *, meta=None, route=None, timeout_ms=0, max_age_ms=ANY_AGE): (what `make` "
     "returned or None, Answer)."},
    {"report", method(report), METH_VARARGS | METH_KEYWORDS,
     "report(status, *, token=None, reason=None, user=None, method=None, route=None, "
     "required=None, client_address=None, trace_id=None, timeout_ms=0, await_record=False): None "
     "(sent or recorded) or the Answer that says why the record may be missing."},
    {"ping", method(ping), METH_VARARGS | METH_KEYWORDS,
     "ping(*, timeout_ms=0): (nanoseconds, None) or (None, Answer)."},
    {"statistics", method(statistics), METH_NOARGS,
     "Counters of this process: the sources of its answers."},
    {"stream", method(open_stream), METH_NOARGS, "A Stream, for event loops."},
    {"close", method(close), METH_NOARGS,
     "Closes the handle; calls in flight and streams end as usual."},
    {nullptr, nullptr, 0, nullptr},
};

char documentation[] =
    "Handle(make, *, socket=None, upstream=None, client_name=None, timeout_ms=0,\n"
    "       max_connections=0, daemon_uid=ANY_TRUSTED_UID)\n\n"
    "Connections to one daemon. The first query connects. `make(json, id, email, roles)`\n"
    "is called once for each claims document.";

PyType_Slot slots[] = {
    {Py_tp_doc, documentation},
    {Py_tp_new, reinterpret_cast<void*>(construct)},
    {Py_tp_dealloc, reinterpret_cast<void*>(destroy)},
    {Py_tp_traverse, reinterpret_cast<void*>(traverse)},
    {Py_tp_clear, reinterpret_cast<void*>(clear)},
    {Py_tp_methods, methods},
    {0, nullptr},
};

PyType_Spec spec = {"auth_integration._claimsd.Handle", sizeof(Handle), 0,
                    Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC, slots};

}  // namespace

PyObject* make_handle_type(PyObject* module) {
  return PyType_FromModuleAndSpec(module, &spec, nullptr);
}

claimsd_handle* open_handle(const Handle* self) {
  if (self->handle == nullptr) {
    PyErr_SetString(PyExc_ValueError, "the handle is closed: open another one");
  }
  return self->handle;
}

PyObject* take_answer(Handle* handle, claimsd_answer* answer) {
  Ref objects = Ref::of(Py_None);
  if (claimsd_answer_verdict(answer) == CLAIMSD_VALID) {
    objects = Ref(handle->parsed.objects_of(answer, handle->make));
  }
  Ref about = objects ? answer_object(handle->answer_type, answer) : Ref();
  claimsd_answer_free(answer);
  if (!about) return nullptr;
  return Py_BuildValue("(NN)", objects.release(), about.release());
}

}  // namespace claimsd::python
