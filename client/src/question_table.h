// question_table.h: the questions and reports of one stream: their frames, kept to be sent again,
// and their answers until they are received.
//
// A slot's number lies in the low 12 bits of the request id and a running number above, so that an
// answer which comes after its question was given up finds nobody. Bounded by kMaxOpenQuestions.
// One thread at a time.
#pragma once

#include "client/include/claimsd.h"
#include "client/src/memory.h"
#include "proto/codec.h"

namespace claimsd::client_impl {

struct OpenQuestion {
  enum class State : std::uint8_t { kQueued, kSent, kCompleted };

  OpenQuestion* next = nullptr;  // in whichever queue it is
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

class QuestionQueue {
 public:
  bool empty() const { return first_ == nullptr; }
  OpenQuestion* first() const { return first_; }

  void push(OpenQuestion* question) {
    question->next = nullptr;
    (first_ == nullptr ? first_ : last_->next) = question;
    last_ = question;
  }

  OpenQuestion* pop() {
    OpenQuestion* const question = first_;
    if (question != nullptr) first_ = question->next;
    return question;
  }

 private:
  OpenQuestion* first_ = nullptr;
  OpenQuestion* last_ = nullptr;
};

class QuestionTable {
 public:
  QuestionTable() = default;
  QuestionTable(const QuestionTable&) = delete;
  QuestionTable& operator=(const QuestionTable&) = delete;
  ~QuestionTable();

  // False when there is no memory.
  bool create();

  std::size_t size() const { return size_; }
  bool full() const { return size_ == proto::kMaxOpenQuestions; }

  // Null when there is no memory. Not to be called when full() or for what does not fit a frame.
  OpenQuestion* add(const proto::Query& query, std::uint64_t tag, std::int64_t deadline_ns);
  OpenQuestion* add(const proto::Report& report, std::uint64_t tag, std::int64_t deadline_ns);
  OpenQuestion* find(std::uint32_t id) const;
  void remove(OpenQuestion* question);

  template <class Visit>
  void each(Visit&& visit) {
    for (std::uint32_t i = 0; i < proto::kMaxOpenQuestions; ++i) {
      if (slots_[i] != nullptr) visit(*slots_[i]);
    }
  }

 private:
  template <class Message>
  OpenQuestion* add_message(const Message& message, std::uint64_t tag, std::int64_t deadline_ns);

  static constexpr std::uint32_t kSlotBits = 12;
  static_assert(proto::kMaxOpenQuestions == 1u << kSlotBits);

  OpenQuestion** slots_ = nullptr;
  std::uint16_t* free_ = nullptr;  // the numbers of the empty slots, all but `size_` of them
  std::size_t size_ = 0;
  std::uint32_t running_ = 0;
};

}  // namespace claimsd::client_impl
