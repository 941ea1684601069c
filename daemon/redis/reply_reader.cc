#include "daemon/redis/reply_reader.h"

#include <fmt/core.h>
#include <hiredis/hiredis.h>
#include <hiredis/read.h>

namespace claimsd::redis {
namespace {

#if HIREDIS_MAJOR >= 1
using ElementCount = std::size_t;
#else
using ElementCount = int;
#endif

// The new value: the root, or the element of its parent. Null: there are too many.
Value* place(const redisReadTask* task, Value::Type type) {
  auto& values = *static_cast<std::size_t*>(task->privdata);
  if (++values > kMaxReplyValues) return nullptr;
  Value* value = nullptr;
  if (task->parent == nullptr) {
    value = new Value;  // hiredis returns it, or frees it with free_root()
  } else {
    auto& items = static_cast<Value*>(task->parent->obj)->items;
    const auto index = static_cast<std::size_t>(task->idx);
    if (index >= items.size()) return nullptr;
    value = &items[index];
  }
  value->type = type;
  return value;
}

void* make_text(const redisReadTask* task, char* text, std::size_t size) {
  const auto type = task->type == REDIS_REPLY_STATUS  ? Value::Type::kStatus
                    : task->type == REDIS_REPLY_ERROR ? Value::Type::kError
                                                      : Value::Type::kText;
  Value* const value = place(task, type);
  if (value != nullptr) value->text.assign(text, size);
  return value;
}

// Newer versions of hiredis have no limit of their own. The reader's values are freed by recursion.
bool is_too_deep(const redisReadTask* task) {
  std::size_t depth = 0;
  for (const redisReadTask* one = task->parent; one != nullptr; one = one->parent) ++depth;
  return depth > kMaxReplyDepth;
}

void* make_array(const redisReadTask* task, ElementCount count) {
  if (is_too_deep(task)) return nullptr;
  const auto& values = *static_cast<const std::size_t*>(task->privdata);
  if (static_cast<std::size_t>(count) > kMaxReplyValues - std::min(values, kMaxReplyValues))
    return nullptr;
  Value* const value = place(task, Value::Type::kArray);
  if (value != nullptr) value->items.resize(static_cast<std::size_t>(count));
  return value;
}

void* make_integer(const redisReadTask* task, long long number) {
  Value* const value = place(task, Value::Type::kInteger);
  if (value != nullptr) value->number = number;
  return value;
}

void* make_nil(const redisReadTask* task) {
  return place(task, Value::Type::kNil);
}

void free_root(void* value) {
  delete static_cast<Value*>(value);
}

#if HIREDIS_MAJOR >= 1
// RESP 3, which claimsd does not ask for. Without a callback hiredis would return the number of the
// type as a pointer.
void* refuse_double(const redisReadTask*, double, char*, std::size_t) {
  return nullptr;
}
void* refuse_boolean(const redisReadTask*, int) {
  return nullptr;
}
#endif

redisReplyObjectFunctions functions() {
  redisReplyObjectFunctions made{};
  made.createString = make_text;
  made.createArray = make_array;
  made.createInteger = make_integer;
  made.createNil = make_nil;
  made.freeObject = free_root;
#if HIREDIS_MAJOR >= 1
  made.createDouble = refuse_double;
  made.createBool = refuse_boolean;
#endif
  return made;
}

}  // namespace

void ReplyReader::Free::operator()(redisReader* reader) const {
  redisReaderFree(reader);
}

ReplyReader::ReplyReader() : values_(std::make_unique<std::size_t>(0)) {
  static redisReplyObjectFunctions callbacks = functions();
  reader_.reset(redisReaderCreateWithFunctions(&callbacks));
  if (reader_) reader_->privdata = values_.get();
}

Status ReplyReader::feed(std::string_view bytes) {
  if (!reader_) return failure("out of memory");
  unfinished_ += bytes.size();
  if (unfinished_ > kMaxReplyBytes)
    return failure(fmt::format("a reply is longer than {} MiB", kMaxReplyBytes >> 20U));
  if (redisReaderFeed(reader_.get(), bytes.data(), bytes.size()) != REDIS_OK)
    return failure(std::string("cannot parse a reply: ") + reader_->errstr);
  return {};
}

Result<std::optional<Value>> ReplyReader::next() {
  void* reply = nullptr;
  const int status = redisReaderGetReply(reader_.get(), &reply);
  const std::unique_ptr<Value> root(static_cast<Value*>(reply));
  if (status != REDIS_OK) {
    if (*values_ > kMaxReplyValues || reader_->err == REDIS_ERR_OOM)
      return failure("a reply has too many values");
    return failure(std::string("cannot parse a reply: ") + reader_->errstr);
  }
  if (!root) return std::optional<Value>();
  *values_ = 0;
  unfinished_ = reader_->len - reader_->pos;
  return std::optional<Value>(std::move(*root));
}

}  // namespace claimsd::redis
