#include "client/src/question_table.h"

#include "client/src/question.h"
#include "client/src/refusal.h"

namespace claimsd::client_impl {

bool QuestionTable::create() {
  constexpr std::size_t kSlots = proto::kMaxOpenQuestions;
  slots_ = static_cast<OpenQuestion**>(std::calloc(kSlots, sizeof(OpenQuestion*)));
  free_ = static_cast<std::uint16_t*>(std::malloc(kSlots * sizeof(std::uint16_t)));
  if (slots_ == nullptr || free_ == nullptr) return false;
  for (std::size_t i = 0; i < kSlots; ++i) free_[i] = static_cast<std::uint16_t>(kSlots - 1 - i);
  return true;
}

QuestionTable::~QuestionTable() {
  if (slots_ != nullptr && free_ != nullptr) {
    each([this](OpenQuestion& question) { remove(&question); });
  }
  std::free(slots_);
  std::free(free_);
}

OpenQuestion* QuestionTable::add(const proto::Query& query, std::uint64_t tag,
                                 std::int64_t deadline_ns) {
  return add_message(query, tag, deadline_ns);
}

OpenQuestion* QuestionTable::add(const proto::Report& report, std::uint64_t tag,
                                 std::int64_t deadline_ns) {
  OpenQuestion* const question = add_message(report, tag, deadline_ns);
  if (question == nullptr) return nullptr;
  question->is_report = true;
  question->delivered = report.unacknowledged;
  return question;
}

template <class Message>
OpenQuestion* QuestionTable::add_message(const Message& message, std::uint64_t tag,
                                         std::int64_t deadline_ns) {
  const std::size_t bound = frame_bound(message);
  void* const memory = std::malloc(sizeof(OpenQuestion) + bound);
  if (memory == nullptr) return nullptr;
  auto* const question = new (memory) OpenQuestion;
  const std::uint16_t slot = free_[proto::kMaxOpenQuestions - 1 - size_];
  question->tag = tag;
  question->deadline_ns = deadline_ns;
  question->id = ++running_ << kSlotBits | slot;
  if (question->id < 1u << kSlotBits)
    question->id = ++running_ << kSlotBits | slot;  // 0 is the connection
  question->frame_size =
      static_cast<std::uint32_t>(proto::encode(message, question->id, question->frame(), bound));
  slots_[slot] = question;
  ++size_;
  return question;
}

OpenQuestion* QuestionTable::find(std::uint32_t id) const {
  OpenQuestion* const question = slots_[id & (proto::kMaxOpenQuestions - 1)];
  return question != nullptr && question->id == id ? question : nullptr;
}

void QuestionTable::remove(OpenQuestion* question) {
  const std::uint32_t slot = question->id & (proto::kMaxOpenQuestions - 1);
  slots_[slot] = nullptr;
  --size_;
  free_[proto::kMaxOpenQuestions - 1 - size_] = static_cast<std::uint16_t>(slot);
  claimsd_answer_free(question->answer);
  explicit_bzero(question->frame(), question->frame_size);
  std::free(question);
}

}  // namespace claimsd::client_impl
