// catch.h: includes Catch2, version 2 (Debian 12) or 3 (Debian 13). The only file that includes it;
// tests look the same with both.
#pragma once

#if __has_include(<catch2/catch_all.hpp>)  // version 3

#include <catch2/catch_all.hpp>

using Catch::Approx;
using Catch::Matchers::ContainsSubstring;
using Catch::Matchers::StartsWith;

#else  // version 2: Approx is global and the matcher has another name

#include <catch2/catch.hpp>

#include <string>

using Catch::Matchers::StartsWith;

inline auto ContainsSubstring(const std::string& text) {
  return Catch::Matchers::Contains(text);
}

#endif
