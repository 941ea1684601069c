#include "client/python/ext/query_request.h"

#include <cstring>

namespace claimsd::python {
namespace {

// A new reference to the value of `key`, or null.
Ref member(PyObject* meta, PyObject* key) {
  return Ref::of(PyDict_GetItemWithError(meta, key));
}

const char* c_text_of(const Ref& text) {
  const std::string_view view = text ? utf8_of(text.get()) : std::string_view();
  if (view.data() == nullptr || std::memchr(view.data(), '\0', view.size()) != nullptr) {
    return nullptr;
  }
  return view.data();
}

}  // namespace

std::string_view utf8_of(PyObject* text) {
  if (!PyUnicode_Check(text)) return {};
  Py_ssize_t size = 0;
  const char* const data = PyUnicode_AsUTF8AndSize(text, &size);
  if (data == nullptr) {
    PyErr_Clear();  // lone surrogates
    return {};
  }
  return {data, static_cast<std::size_t>(size)};
}

bool make_keys(Keys& keys) {
  keys.authorization = PyUnicode_InternFromString("HTTP_AUTHORIZATION");
  keys.address = PyUnicode_InternFromString("REMOTE_ADDR");
  keys.trace = PyUnicode_InternFromString("HTTP_TRACEPARENT");
  keys.method = PyUnicode_InternFromString("REQUEST_METHOD");
  return keys.authorization != nullptr && keys.address != nullptr && keys.trace != nullptr &&
         keys.method != nullptr;
}

void forget_keys(Keys& keys) {
  Py_CLEAR(keys.authorization);
  Py_CLEAR(keys.address);
  Py_CLEAR(keys.trace);
  Py_CLEAR(keys.method);
}

QueryRequest::QueryRequest(std::string_view token, const Keys& keys, PyObject* meta,
                           PyObject* route) {
  fields.token = token.data();
  fields.token_size = token.size();
  const bool has_meta = PyDict_Check(meta);
  if (has_meta) {
    address_ = member(meta, keys.address);
    trace_ = member(meta, keys.trace);
    fields.client_address = c_text_of(address_);
    fields.trace_id = c_text_of(trace_);
  }
  if (!PyUnicode_Check(route)) return;
  route_ = Ref::of(route);
  const char* const path = c_text_of(route_);
  const Ref method = has_meta ? member(meta, keys.method) : Ref();
  const char* const verb = c_text_of(method);
  if (path == nullptr || verb == nullptr) return;
  const std::size_t verb_size = strnlen(verb, 16);
  const std::size_t path_size = strnlen(path, sizeof method_and_route_ - verb_size - 2);
  std::memcpy(method_and_route_, verb, verb_size);
  method_and_route_[verb_size] = ' ';
  std::memcpy(method_and_route_ + verb_size + 1, path, path_size);
  method_and_route_[verb_size + 1 + path_size] = '\0';
  fields.route = method_and_route_;
}

}  // namespace claimsd::python
