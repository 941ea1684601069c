// result.h: how fallible work reports. `Result<T>` holds a T or an Error; TRY unwraps or returns
// the Error to the caller.
//
// Constructors cannot fail: what can fail is a static `create()` that returns a Result. Exceptions
// are not used for control flow and never cross a callback.
#pragma once

#include <string>
#include <tl/expected.hpp>
#include <utility>

namespace claimsd::daemon {

// What was tried, on what, and what to do about it: one line for a person, without secrets.
struct Error {
  std::string message;
};

template <class T>
using Result = tl::expected<T, Error>;
using Status = Result<void>;

inline tl::unexpected<Error> failure(std::string message) {
  return tl::unexpected<Error>(Error{std::move(message)});
}

namespace detail {
template <class T>
T take(Result<T>& result) {
  return std::move(*result);
}
inline void take(Status& /*result*/) {}
}  // namespace detail

}  // namespace claimsd::daemon

// TRY(expression): the value of a Result, or return its Error from the enclosing function. A GNU
// statement expression, which both supported compilers have. It stands alone on the right of `=`,
// in `return` or in a call: g++ does not destroy what the same expression has made before it when
// it returns from the middle of one (tests/architecture keeps it so).
#define TRY(...)                                                         \
  ({                                                                     \
    auto try_result_ = (__VA_ARGS__);                                    \
    if (!try_result_) return ::tl::make_unexpected(try_result_.error()); \
    ::claimsd::daemon::detail::take(try_result_);                        \
  })
