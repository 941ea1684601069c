// query_table.h: the open queries and reports of one stream: frames kept for a retry, and answers
// until they are received.
//
// A request id has the slot number in its low 12 bits and a running number above, so that a late
// answer to a removed query matches none. Bounded by kMaxOpenQueries. One thread at a time; owned
// by the stream.
#pragma once

#include "client/include/claimsd.h"
#include "client/src/memory.h"
#include "proto/codec.h"

namespace claimsd::client {

struct OpenQuery {
  enum class State : std::uint8_t { kQueued, kSent, kCompleted };

  OpenQuery* next = nullptr;  // in whichever queue it is
  std::uint64_t tag = 0;
  std::int64_t deadline_ns = 0;
  std::uint32_t id = 0;
  std::uint32_t frame_size = 0;
  std::uint8_t losses = 0;  // connections that broke under it
  State state = State::kQueued;
  claimsd_answer* answer = nullptr;
  bool is_report = false;
  bool recorded = false;        // of a completed report, which then has no answer
  std::uint32_t delivered = 0;  // of earlier reports, with this one

  char* frame() { return reinterpret_cast<char*>(this + 1); }
  bool completed() const { return state == State::kCompleted; }
};

class QueryQueue {
 public:
  bool empty() const { return first_ == nullptr; }
  OpenQuery* first() const { return first_; }

  void push(OpenQuery* request) {
    request->next = nullptr;
    (first_ == nullptr ? first_ : last_->next) = request;
    last_ = request;
  }

  OpenQuery* pop() {
    OpenQuery* const request = first_;
    if (request != nullptr) first_ = request->next;
    return request;
  }

 private:
  OpenQuery* first_ = nullptr;
  OpenQuery* last_ = nullptr;
};

class QueryTable {
 public:
  QueryTable() = default;
  QueryTable(const QueryTable&) = delete;
  QueryTable& operator=(const QueryTable&) = delete;
  ~QueryTable();

  // False when there is no memory.
  bool create();

  std::size_t size() const { return size_; }
  bool full() const { return size_ == proto::kMaxOpenQueries; }

  // Null when there is no memory. Not to be called when full() or for what does not fit a frame.
  OpenQuery* add(const proto::Query& query, std::uint64_t tag, std::int64_t deadline_ns);
  OpenQuery* add(const proto::Report& report, std::uint64_t tag, std::int64_t deadline_ns);
  OpenQuery* find(std::uint32_t id) const;
  void remove(OpenQuery* request);

  template <class Visit>
  void each(Visit&& visit) {
    for (std::uint32_t i = 0; i < proto::kMaxOpenQueries; ++i) {
      if (slots_[i] != nullptr) visit(*slots_[i]);
    }
  }

 private:
  template <class Message>
  OpenQuery* add_message(const Message& message, std::uint64_t tag, std::int64_t deadline_ns);

  static constexpr std::uint32_t kSlotBits = 12;
  static_assert(proto::kMaxOpenQueries == 1u << kSlotBits);

  OpenQuery** slots_ = nullptr;
  std::uint16_t* free_ = nullptr;  // the numbers of the empty slots, all but `size_` of them
  std::size_t size_ = 0;
  std::uint32_t running_ = 0;
};

}  // namespace claimsd::client
