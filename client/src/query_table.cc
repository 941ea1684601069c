#include "client/src/query_table.h"

#include "client/src/query_request.h"
#include "client/src/report_request.h"

namespace claimsd::client {

bool QueryTable::create() {
  constexpr std::size_t kSlots = proto::kMaxOpenQueries;
  slots_ = static_cast<OpenQuery**>(std::calloc(kSlots, sizeof(OpenQuery*)));
  free_ = static_cast<std::uint16_t*>(std::malloc(kSlots * sizeof(std::uint16_t)));
  if (slots_ == nullptr || free_ == nullptr) return false;
  for (std::size_t i = 0; i < kSlots; ++i) free_[i] = static_cast<std::uint16_t>(kSlots - 1 - i);
  return true;
}

QueryTable::~QueryTable() {
  if (slots_ != nullptr && free_ != nullptr) {
    each([this](OpenQuery& request) { remove(&request); });
  }
  std::free(slots_);
  std::free(free_);
}

OpenQuery* QueryTable::add(const proto::Query& query, std::uint64_t tag, std::int64_t deadline_ns) {
  return add_message(query, tag, deadline_ns);
}

OpenQuery* QueryTable::add(const proto::Report& report, std::uint64_t tag,
                           std::int64_t deadline_ns) {
  OpenQuery* const request = add_message(report, tag, deadline_ns);
  if (request == nullptr) return nullptr;
  request->is_report = true;
  request->delivered = report.unacknowledged;
  return request;
}

template <class Message>
OpenQuery* QueryTable::add_message(const Message& message, std::uint64_t tag,
                                   std::int64_t deadline_ns) {
  const std::size_t bound = frame_bound(message);
  void* const memory = std::malloc(sizeof(OpenQuery) + bound);
  if (memory == nullptr) return nullptr;
  auto* const request = new (memory) OpenQuery;
  const std::uint16_t slot = free_[proto::kMaxOpenQueries - 1 - size_];
  request->tag = tag;
  request->deadline_ns = deadline_ns;
  request->id = ++running_ << kSlotBits | slot;
  if (request->id < 1u << kSlotBits)
    request->id = ++running_ << kSlotBits | slot;  // 0 is the connection
  request->frame_size =
      static_cast<std::uint32_t>(proto::encode(message, request->id, request->frame(), bound));
  slots_[slot] = request;
  ++size_;
  return request;
}

OpenQuery* QueryTable::find(std::uint32_t id) const {
  OpenQuery* const request = slots_[id & (proto::kMaxOpenQueries - 1)];
  return request != nullptr && request->id == id ? request : nullptr;
}

void QueryTable::remove(OpenQuery* request) {
  const std::uint32_t slot = request->id & (proto::kMaxOpenQueries - 1);
  slots_[slot] = nullptr;
  --size_;
  free_[proto::kMaxOpenQueries - 1 - size_] = static_cast<std::uint16_t>(slot);
  claimsd_answer_free(request->answer);
  explicit_bzero(request->frame(), request->frame_size);
  std::free(request);
}

}  // namespace claimsd::client
