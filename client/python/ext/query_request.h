// query_request.h: builds a query for libclaimsd from a request's META and route. Building needs
// the GIL, sending does not. Keeps references to the objects that it points at.
#pragma once

#include <string_view>

#include "client/include/claimsd.h"
#include "client/python/ext/ref.h"

namespace claimsd::python {

// The members of META that are looked at, as interned strs.
struct Keys {
  PyObject* authorization;
  PyObject* address;
  PyObject* trace;
  PyObject* method;
};

// False with an exception set. Of a zeroed or made one, forget_keys() gives back what there is.
bool make_keys(Keys& keys);
void forget_keys(Keys& keys);

class QueryRequest {
 public:
  // The hints out of a request's META (a dict, or None for no hints) and its route (str or None).
  // What is no text is left out: hints decide nothing.
  QueryRequest(std::string_view token, const Keys& keys, PyObject* meta, PyObject* route);
  QueryRequest(const QueryRequest&) = delete;
  QueryRequest& operator=(const QueryRequest&) = delete;

  claimsd_query_request asked = CLAIMSD_QUERY_REQUEST_INIT;

 private:
  Ref address_;
  Ref trace_;
  Ref route_;
  char method_and_route_[272];
};

// UTF-8 of a str; data() is null where it is none or has no UTF-8, and no exception is left.
std::string_view utf8_of(PyObject* text);

}  // namespace claimsd::python
