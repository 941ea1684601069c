// result.h: results of fallible work. `Result<T>` holds a T or an Error; TRY unwraps it or returns
// the Error to the caller.
//
// Constructors cannot fail: fallible construction is a static `create()` that returns a Result.
// Exceptions are not used for control flow and never cross a callback.
#pragma once

#include <string>
#include <tl/expected.hpp>
#include <utility>

namespace claimsd {

// What failed, on what, and how to fix it: one line for a person, without secrets.
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

}  // namespace claimsd

// TRY(expression): the value of a Result, or return its Error from the enclosing function. A GNU
// statement expression, supported by both compilers. Use it only as the whole right side of `=`, in
// `return`, or as a call's argument: if it returns from the middle of a larger expression, g++ does
// not destroy the temporaries made before (tests/architecture enforces this).
#define TRY(...)                                                         \
  ({                                                                     \
    auto try_result_ = (__VA_ARGS__);                                    \
    if (!try_result_) return ::tl::make_unexpected(try_result_.error()); \
    ::claimsd::detail::take(try_result_);                                \
  })
