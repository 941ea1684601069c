// value.h: one reply of Redis (RESP 2). A plain value.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace claimsd::redis {

struct Value {
  enum class Type : std::uint8_t { kNil, kText, kStatus, kError, kInteger, kArray };
  Type type = Type::kNil;
  std::int64_t number = 0;
  std::string text;
  std::vector<Value> items;

  bool is_nil() const { return type == Type::kNil; }
  bool is_error() const { return type == Type::kError; }
  bool is_integer() const { return type == Type::kInteger; }
  bool is_array() const { return type == Type::kArray; }
  // "OK", "QUEUED"
  bool is_status(std::string_view expected) const {
    return type == Type::kStatus && text == expected;
  }
  // Whether it is an error with this code: the first word, such as "NOAUTH".
  bool is_error(std::string_view code) const {
    return is_error() && std::string_view(text).substr(0, text.find(' ')) == code;
  }
};

}  // namespace claimsd::redis
