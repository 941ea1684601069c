#include "client/python/ext/answer_object.h"

namespace claimsd::python {
namespace {

PyStructSequence_Field fields[] = {
    {"verdict", "\"valid\", \"invalid\" or \"unavailable\""},
    {"reason", "the reason: a stable word for programs"},
    {"text", "the reason: a sentence for people"},
    {"source",
     "origin of the answer: \"none\", \"local\", \"shared\", \"cache\", \"upstream\", \"stale\""},
    {"age_ms", "time since the Auth API last confirmed the token"},
    {"ttl_ms", "remaining time to live"},
    {"retry_after_ms", "time to wait before the next query; 0: no advice"},
    {nullptr, nullptr},
};

PyStructSequence_Desc description = {
    "auth_integration._claimsd.Answer",
    "The outcome of a query. Contains no claim and no token.",
    fields,
    7,
};

bool set_text(PyObject* answer, Py_ssize_t at, const char* text) {
  PyObject* const value = PyUnicode_InternFromString(text);
  if (value == nullptr) return false;
  PyStructSequence_SetItem(answer, at, value);
  return true;
}

bool set_number(PyObject* answer, Py_ssize_t at, unsigned long number) {
  PyObject* const value = PyLong_FromUnsignedLong(number);
  if (value == nullptr) return false;
  PyStructSequence_SetItem(answer, at, value);
  return true;
}

}  // namespace

PyObject* make_answer_type() {
  return reinterpret_cast<PyObject*>(PyStructSequence_NewType(&description));
}

Ref answer_object(PyObject* type, const claimsd_answer* answer) {
  Ref object(PyStructSequence_New(reinterpret_cast<PyTypeObject*>(type)));
  if (!object) return object;
  claimsd_answer_view view = CLAIMSD_ANSWER_VIEW_INIT;
  claimsd_read_answer(answer, &view);
  const bool made =
      set_text(object.get(), 0, claimsd_result_text(view.verdict)) &&
      set_text(object.get(), 1, view.reason) && set_text(object.get(), 2, view.text) &&
      set_text(object.get(), 3, claimsd_source_text(view.source)) &&
      set_number(object.get(), 4, view.age_ms) && set_number(object.get(), 5, view.ttl_ms) &&
      set_number(object.get(), 6, view.retry_after_ms);
  return made ? static_cast<Ref&&>(object) : Ref();
}

}  // namespace claimsd::python
