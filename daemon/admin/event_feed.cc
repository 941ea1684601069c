#include "daemon/admin/event_feed.h"

#include <algorithm>

namespace claimsd::admin {

std::string_view name_of(EventKind kind) {
  switch (kind) {
#define CLAIMSD_EVENT_NAME(identifier, name, help) \
  case EventKind::identifier: return name;
    CLAIMSD_EVENTS(CLAIMSD_EVENT_NAME)
#undef CLAIMSD_EVENT_NAME
  }
  return "unknown";
}

EventFeed::EventFeed(loop::Loop& loop, const Clock& clock)
    : clock_(clock), events_(kCapacity), timer_(loop, [this] { wake_up(); }) {}

void EventFeed::add(Event event) {
  event.at = clock_.now().wall;
  events_[++last_ % kCapacity] = event;
  // Start the timer for the first awaited event only. Later ones are delivered with it.
  const bool first = std::any_of(waiting_.begin(), waiting_.end(), [this](const Waiting& waiting) {
    return waiting.after + 1 == last_;
  });
  if (first) timer_.start(kCoalesceDelay);
}

std::uint64_t EventFeed::each_after(
    std::uint64_t after, std::size_t most,
    const std::function<void(std::uint64_t, const Event&)>& visit) const {
  const std::uint64_t oldest = last_ < kCapacity ? 1 : last_ - kCapacity + 1;
  const std::uint64_t first = std::max(after + 1, oldest);
  for (std::uint64_t at = first; at <= last_ && at - first < most; ++at)
    visit(at, events_[at % kCapacity]);
  return first - (after + 1);
}

std::optional<EventFeed::WaitId> EventFeed::wait(std::uint64_t after, Duration patience,
                                                 std::optional<std::uint32_t> uid,
                                                 std::function<void()> wake) {
  const auto own = static_cast<std::size_t>(
      std::count_if(waiting_.begin(), waiting_.end(),
                    [&](const Waiting& waiting) { return waiting.uid == uid; }));
  if (waiting_.size() >= kMaxWaiting || own >= kMaxWaitingPerUid) return std::nullopt;
  const WaitId id = next_wait_++;
  waiting_.push_back({id, uid, after, clock_.now().boot + patience, std::move(wake)});
  set_timer();
  return id;
}

void EventFeed::cancel(WaitId id) {
  std::erase_if(waiting_, [&](const Waiting& waiting) { return waiting.id == id; });
  set_timer();
}

void EventFeed::wake_up() {
  const BootTime now = clock_.now().boot;
  const auto done = std::stable_partition(
      waiting_.begin(), waiting_.end(),
      [&](const Waiting& waiting) { return waiting.after >= last_ && waiting.until > now; });
  std::vector<Waiting> woken(std::make_move_iterator(done),
                             std::make_move_iterator(waiting_.end()));
  waiting_.erase(done, waiting_.end());
  set_timer();
  for (const Waiting& waiting : woken) waiting.wake();
}

void EventFeed::set_timer() {
  if (waiting_.empty()) return timer_.stop();
  const auto next = std::min_element(
      waiting_.begin(), waiting_.end(),
      [](const Waiting& one, const Waiting& other) { return one.until < other.until; });
  const bool news = std::any_of(waiting_.begin(), waiting_.end(),
                                [this](const Waiting& waiting) { return waiting.after < last_; });
  const Duration left = std::max(Duration(0), next->until - clock_.now().boot);
  timer_.start(news ? std::min<Duration>(left, kCoalesceDelay) : left);
}

}  // namespace claimsd::admin
