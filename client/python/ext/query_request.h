// query_request.h: builds a query for libclaimsd from a request's META and route. Building needs
// the GIL, sending does not. Keeps references to the objects that it points to.
#pragma once

#include <string_view>

#include "client/include/claimsd.h"
#include "client/python/ext/ref.h"

namespace claimsd::python {

// The members of META that are read, as interned strs.
struct Keys {
  PyObject* authorization;
  PyObject* address;
  PyObject* trace;
  PyObject* method;
};

// Returns false with an exception set. forget_keys() also accepts zeroed or partly made keys.
bool make_keys(Keys& keys);
void forget_keys(Keys& keys);

class QueryRequest {
 public:
  // Takes hints from a request's META (a dict, or None for no hints) and its route (str or None).
  // A value that is not a str is omitted: hints decide nothing.
  QueryRequest(std::string_view token, const Keys& keys, PyObject* meta, PyObject* route);
  QueryRequest(const QueryRequest&) = delete;
  QueryRequest& operator=(const QueryRequest&) = delete;

  claimsd_query_request fields = CLAIMSD_QUERY_REQUEST_INIT;

 private:
  Ref address_;
  Ref trace_;
  Ref route_;
  char method_and_route_[272];
};

// The UTF-8 of a str. data() is null if the object is not a str or has no UTF-8; no exception is
// set.
std::string_view utf8_of(PyObject* text);

}  // namespace claimsd::python
