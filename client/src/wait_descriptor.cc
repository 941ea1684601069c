#include "client/src/wait_descriptor.h"

#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "client/src/deadline.h"
#include "client/src/owned_fd.h"
#include "client/src/random.h"

namespace claimsd::client {
namespace {

// 73 to 146 years: no timer fires a second time.
constexpr std::uint64_t kShortestInterval = std::uint64_t{1} << 61;
constexpr std::int64_t kFarAway = std::int64_t{1} << 62;

epoll_event event_of(int fd, std::uint32_t events) {
  return {.events = events, .data = {.fd = fd}};
}

bool control(int epoll, int operation, int fd, std::uint32_t events) {
  epoll_event event = event_of(fd, events);
  return epoll_ctl(epoll, operation, fd, &event) == 0;
}

}  // namespace

bool WaitDescriptor::create() {
  std::uint64_t random = 0;
  if (!read_random(&random, sizeof random)) return false;
  interval_ns_ = static_cast<std::int64_t>(kShortestInterval | random % kShortestInterval);
  epoll_ = above_standard(epoll_create1(EPOLL_CLOEXEC));
  timer_ = above_standard(timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK));
  const itimerspec setting{.it_interval = to_timespec(interval_ns_),
                           .it_value = to_timespec(kFarAway)};
  if (epoll_ >= 0 && timer_ >= 0 &&
      timerfd_settime(timer_, TFD_TIMER_ABSTIME, &setting, nullptr) == 0 &&
      control(epoll_, EPOLL_CTL_ADD, timer_, EPOLLIN)) {
    return true;
  }
  for (int* const made : {&epoll_, &timer_}) {
    if (*made >= 0) ::close(*made);
    *made = -1;
  }
  return false;
}

bool WaitDescriptor::is_our_timer() const {
  itimerspec seen{};
  if (timer_ < 0 || timerfd_gettime(timer_, &seen) != 0) return false;
  const timespec expected = to_timespec(interval_ns_);
  return seen.it_interval.tv_sec == expected.tv_sec && seen.it_interval.tv_nsec == expected.tv_nsec;
}

// EPOLL_CTL_MOD with the same event changes nothing, and fails on any other epoll instance.
bool WaitDescriptor::is_ours() const {
  return is_our_timer() && control(epoll_, EPOLL_CTL_MOD, timer_, EPOLLIN);
}

bool WaitDescriptor::watch(int socket) {
  return !is_ours() || control(epoll_, EPOLL_CTL_ADD, socket, EPOLLIN);
}

void WaitDescriptor::unwatch(int socket) {
  if (is_ours()) control(epoll_, EPOLL_CTL_DEL, socket, 0);
}

void WaitDescriptor::want_write(int socket, bool wanted) {
  if (is_ours()) {
    control(epoll_, EPOLL_CTL_MOD, socket, wanted ? EPOLLIN | EPOLLOUT : std::uint32_t{EPOLLIN});
  }
}

bool WaitDescriptor::set_timer(std::int64_t at_ns) {
  if (!is_our_timer()) return false;
  const itimerspec setting{.it_interval = to_timespec(interval_ns_),
                           .it_value = to_timespec(at_ns == kNever ? kFarAway : at_ns)};
  return timerfd_settime(timer_, TFD_TIMER_ABSTIME, &setting, nullptr) == 0;
}

void WaitDescriptor::close() {
  const bool ours = is_ours();
  if (ours) ::close(epoll_);
  if (ours || is_our_timer()) ::close(timer_);
  epoll_ = timer_ = -1;
}

}  // namespace claimsd::client
