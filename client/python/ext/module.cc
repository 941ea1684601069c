// module.cc: the extension module auth_integration._claimsd: libclaimsd for Python.
//
// It adds two things to libclaimsd: it reads the Authorization header (bearer.h), and it caches the
// Python objects of claims documents (parsed_claims.h). Stub: auth_integration/_claimsd.pyi.
#include "client/python/ext/answer_object.h"
#include "client/python/ext/bearer.h"
#include "client/python/ext/query_request.h"
#include "client/python/ext/stream.h"

namespace claimsd::python {
namespace {

ModuleState* state_of(PyObject* module) {
  return static_cast<ModuleState*>(PyModule_GetState(module));
}

// The token of a header as a str; None: another scheme; or a reason in a tuple. For tests, which
// compare it with bearer.py.
PyObject* parse(PyObject* /*module*/, PyObject* header) {
  if (!PyUnicode_Check(header)) {
    PyErr_SetString(PyExc_TypeError, "parse_bearer() takes a header as a str");
    return nullptr;
  }
  const std::string_view text = utf8_of(header);
  const Bearer bearer =
      text.data() == nullptr ? Bearer{Bearer::Kind::kMalformed, {}} : parse_bearer(text);
  switch (bearer.kind) {
    case Bearer::Kind::kNotOurs: Py_RETURN_NONE;
    case Bearer::Kind::kToken:
      return PyUnicode_FromStringAndSize(bearer.token.data(),
                                         static_cast<Py_ssize_t>(bearer.token.size()));
    case Bearer::Kind::kMalformed: return Py_BuildValue("(s)", "malformed");
    case Bearer::Kind::kTooLong: break;
  }
  return Py_BuildValue("(s)", "too_long");
}

int fill(PyObject* module) {
  ModuleState* const state = state_of(module);
  state->answer_type = make_answer_type();
  state->stream_type = state->answer_type == nullptr ? nullptr : make_stream_type(module);
  const Ref handle_type(state->stream_type == nullptr ? nullptr : make_handle_type(module));
  if (!handle_type) return -1;
  const bool added =
      PyModule_AddObjectRef(module, "Answer", state->answer_type) == 0 &&
      PyModule_AddObjectRef(module, "Stream", state->stream_type) == 0 &&
      PyModule_AddObjectRef(module, "Handle", handle_type.get()) == 0 &&
      PyModule_AddObjectRef(module, "ANY_AGE",
                            Ref(PyLong_FromUnsignedLong(CLAIMSD_ANY_AGE)).get()) == 0 &&
      PyModule_AddObjectRef(module, "ANY_TRUSTED_UID",
                            Ref(PyLong_FromUnsignedLong(CLAIMSD_ANY_TRUSTED_UID)).get()) == 0 &&
      PyModule_AddStringConstant(module, "DEFAULT_SOCKET", CLAIMSD_DEFAULT_SOCKET) == 0 &&
      PyModule_AddStringConstant(module, "LIBRARY_VERSION", claimsd_version()) == 0;
  return added ? 0 : -1;
}

int traverse(PyObject* module, visitproc visit, void* arg) {
  Py_VISIT(state_of(module)->answer_type);
  Py_VISIT(state_of(module)->stream_type);
  return 0;
}

int clear(PyObject* module) {
  Py_CLEAR(state_of(module)->answer_type);
  Py_CLEAR(state_of(module)->stream_type);
  return 0;
}

PyMethodDef functions[] = {
    {"parse_bearer", parse, METH_O,
     "parse_bearer(header): the token, None (another scheme) or a tuple with the reason."},
    {nullptr, nullptr, 0, nullptr},
};

PyModuleDef_Slot slots[] = {
    {Py_mod_exec, reinterpret_cast<void*>(fill)},
    {0, nullptr},
};

PyModuleDef definition = {
    PyModuleDef_HEAD_INIT,
    "auth_integration._claimsd",
    "libclaimsd: query the host's claimsd daemon for the claims of a token.",
    sizeof(ModuleState),
    functions,
    slots,
    traverse,
    clear,
    nullptr,
};

}  // namespace
}  // namespace claimsd::python

PyMODINIT_FUNC PyInit__claimsd() {
  return PyModuleDef_Init(&claimsd::python::definition);
}
