#include "client/python/ext/stream.h"

#include "client/python/ext/query_request.h"
#include "client/python/ext/report_request.h"

namespace claimsd::python {
namespace {

struct Stream {
  PyObject_HEAD claimsd_stream* stream;  // nullptr: closed
  Handle* handle;                        // a reference while open: its keys and parsed claims
};

Stream* self_of(PyObject* object) {
  return reinterpret_cast<Stream*>(object);
}

bool is_open(const Stream* self) {
  if (self->stream != nullptr) return true;
  PyErr_SetString(PyExc_ValueError, "the stream is closed: open another one");
  return false;
}

void close_it(Stream* self) {
  if (self->stream == nullptr) return;
  claimsd_stream_close(self->stream);
  self->stream = nullptr;
  Handle* const handle = self->handle;
  self->handle = nullptr;
  Py_DECREF(handle);
}

// Converts the result of a send.
PyObject* sent(claimsd_result result) {
  switch (result) {
    case CLAIMSD_OK: Py_RETURN_NONE;
    case CLAIMSD_NO_MEMORY: return PyErr_NoMemory();
    case CLAIMSD_UNAVAILABLE:
      PyErr_SetString(PyExc_BlockingIOError, "4,096 queries are open on this stream already");
      return nullptr;
    default:
      PyErr_SetString(PyExc_ValueError, "the stream was inherited by fork(): open another one");
      return nullptr;
  }
}

PyObject* send(PyObject* object, PyObject* arguments) {
  Stream* const self = self_of(object);
  unsigned long long tag = 0;
  const char* token = nullptr;
  Py_ssize_t size = 0;
  PyObject* meta = Py_None;
  PyObject* route = Py_None;
  unsigned int timeout_ms = 0;
  unsigned int max_age_ms = CLAIMSD_ANY_AGE;
  if (PyArg_ParseTuple(arguments, "Ks#|OOII:send", &tag, &token, &size, &meta, &route, &timeout_ms,
                       &max_age_ms) == 0 ||
      !is_open(self)) {
    return nullptr;
  }
  QueryRequest request({token, static_cast<std::size_t>(size)}, self->handle->keys, meta, route);
  request.fields.timeout_ms = timeout_ms;
  request.fields.max_age_ms = max_age_ms;
  return sent(claimsd_stream_send(self->stream, &request.fields, tag));
}

PyObject* report(PyObject* object, PyObject* arguments, PyObject* keywords) {
  Stream* const self = self_of(object);
  const Py_ssize_t count = PyTuple_Size(arguments);
  if (count < 1) {
    PyErr_SetString(PyExc_TypeError,
                    "report() takes a tag before the arguments of Handle.report()");
    return nullptr;
  }
  const unsigned long long tag = PyLong_AsUnsignedLongLong(PyTuple_GetItem(arguments, 0));
  const Ref rest(PyErr_Occurred() == nullptr ? PyTuple_GetSlice(arguments, 1, count) : nullptr);
  claimsd_report_request report_request;
  if (!rest || !read_report_request(rest.get(), keywords, report_request) || !is_open(self))
    return nullptr;
  return sent(claimsd_stream_report(self->stream, &report_request, tag));
}

PyObject* receive(PyObject* object, PyObject* /*none*/) {
  Stream* const self = self_of(object);
  if (!is_open(self)) return nullptr;
  std::uint64_t tag = 0;
  claimsd_answer* answer = nullptr;
  const claimsd_result result = claimsd_stream_receive(self->stream, &tag, &answer);
  if (result == CLAIMSD_AGAIN) Py_RETURN_NONE;
  if (result == CLAIMSD_BAD_ARGUMENT) {
    PyErr_SetString(PyExc_ValueError, "the stream was inherited by fork(): open another one");
    return nullptr;
  }
  if (result == CLAIMSD_RECORDED)
    return Py_BuildValue("(K(OO))", static_cast<unsigned long long>(tag), Py_None, Py_None);
  Handle* const handle = self->handle;
  Ref kept = Ref::of(reinterpret_cast<PyObject*>(handle));  // `make` might close us
  Ref pair(take_answer(handle, answer));
  if (!pair) return nullptr;
  return Py_BuildValue("(KN)", static_cast<unsigned long long>(tag), pair.release());
}

PyObject* cancel(PyObject* object, PyObject* tag) {
  Stream* const self = self_of(object);
  const unsigned long long number = PyLong_AsUnsignedLongLong(tag);
  if (PyErr_Occurred() != nullptr || !is_open(self)) return nullptr;
  return PyBool_FromLong(claimsd_stream_cancel(self->stream, number) == CLAIMSD_OK);
}

PyObject* fileno(PyObject* object, PyObject* /*none*/) {
  if (!is_open(self_of(object))) return nullptr;
  return PyLong_FromLong(claimsd_stream_fd(self_of(object)->stream));
}

PyObject* pending(PyObject* object, PyObject* /*none*/) {
  if (!is_open(self_of(object))) return nullptr;
  return PyLong_FromSize_t(claimsd_stream_pending(self_of(object)->stream));
}

PyObject* close(PyObject* object, PyObject* /*none*/) {
  close_it(self_of(object));
  Py_RETURN_NONE;
}

void destroy(PyObject* object) {
  PyTypeObject* const type = Py_TYPE(object);
  close_it(self_of(object));
  reinterpret_cast<freefunc>(PyType_GetSlot(type, Py_tp_free))(object);
  Py_DECREF(type);
}

PyMethodDef methods[] = {
    {"send", send, METH_VARARGS,
     "send(tag, token, meta=None, route=None, timeout_ms=0, max_age_ms=ANY_AGE): sends a query; "
     "its answer carries `tag`."},
    {"report", reinterpret_cast<PyCFunction>(reinterpret_cast<void (*)()>(report)),
     METH_VARARGS | METH_KEYWORDS,
     "report(tag, status, *, ...): like Handle.report(); the result carries `tag`."},
    {"receive", receive, METH_NOARGS,
     "(tag, (what `make` returned or None, Answer)), (tag, (None, None)) for a recorded report, "
     "or None when no answer is ready."},
    {"cancel", cancel, METH_O,
     "cancel(tag): cancels the open queries with this tag; their answers are unavailable, "
     "\"canceled\". False if there is none."},
    {"fileno", fileno, METH_NOARGS, "The descriptor to wait on for reading. The stream owns it."},
    {"pending", pending, METH_NOARGS, "The number of answers not received yet."},
    {"close", close, METH_NOARGS, "Closes the stream. Open queries get no answer."},
    {nullptr, nullptr, 0, nullptr},
};

char documentation[] = "Many concurrent queries, for event loops; see Handle.stream().";

PyType_Slot slots[] = {
    {Py_tp_doc, documentation},
    {Py_tp_dealloc, reinterpret_cast<void*>(destroy)},
    {Py_tp_methods, methods},
    {0, nullptr},
};

PyType_Spec spec = {"auth_integration._claimsd.Stream", sizeof(Stream), 0,
                    Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION, slots};

}  // namespace

PyObject* make_stream_type(PyObject* module) {
  return PyType_FromModuleAndSpec(module, &spec, nullptr);
}

PyObject* stream_on(Handle* handle, PyObject* stream_type) {
  if (open_handle(handle) == nullptr) return nullptr;
  claimsd_stream* opened = nullptr;
  const claimsd_result result = claimsd_stream_open(handle->handle, &opened);
  auto* const type = reinterpret_cast<PyTypeObject*>(stream_type);
  Stream* stream = nullptr;
  if (result == CLAIMSD_OK) {
    const auto allocate = reinterpret_cast<allocfunc>(PyType_GetSlot(type, Py_tp_alloc));
    stream = reinterpret_cast<Stream*>(allocate(type, 0));
    if (stream == nullptr) claimsd_stream_close(opened);
  } else if (result == CLAIMSD_NO_MEMORY) {
    PyErr_NoMemory();
  } else {
    PyErr_SetString(PyExc_OSError, "no stream to claimsd: this process has no descriptors left");
  }
  if (stream == nullptr) return nullptr;
  stream->stream = opened;
  stream->handle = handle;
  Py_INCREF(handle);
  return reinterpret_cast<PyObject*>(stream);
}

}  // namespace claimsd::python
