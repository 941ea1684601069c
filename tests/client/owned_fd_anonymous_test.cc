// An application that closes every descriptor and opens epoll instances and timers of its own: the
// library must not take them for its own, since all of them show the same inode.
#include <fcntl.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <fstream>

#include "tests/client/child_process.h"
#include "tests/client/report_host.h"
#include "tests/support/catch.h"

namespace claimsd::testing {
namespace {

// The number that the next descriptor of this process gets.
int next_fd() {
  const int fd = dup(STDERR_FILENO);
  close(fd);
  return fd;
}

// How many descriptors an epoll instance watches.
int watched_by(int epoll) {
  std::ifstream info("/proc/self/fdinfo/" + std::to_string(epoll));
  int count = 0;
  for (std::string line; std::getline(info, line);) count += line.rfind("tfd:", 0) == 0 ? 1 : 0;
  return count;
}

// What an event loop opens: an epoll instance that watches an eventfd, and an armed timer.
struct EventLoop {
  // Takes `number` and the two after it, whatever they were.
  explicit EventLoop(int number) : epoll(number), timer(number + 1), event(number + 2) {
    for (int fd = epoll; fd <= event; ++fd) close(fd);
    place(epoll_create1(EPOLL_CLOEXEC), epoll);
    place(timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC), timer);
    place(eventfd(0, EFD_CLOEXEC), event);
    epoll_event watch{.events = EPOLLIN, .data = {.fd = event}};
    epoll_ctl(epoll, EPOLL_CTL_ADD, event, &watch);
    const itimerspec hour{.it_interval = {}, .it_value = {.tv_sec = 3600, .tv_nsec = 0}};
    timerfd_settime(timer, 0, &hour, nullptr);
  }
  static void place(int fd, int wanted) {
    if (fd == wanted) return;
    dup2(fd, wanted);
    close(fd);
  }
  bool is_untouched() const {
    itimerspec left{};
    return watched_by(epoll) == 1 && timerfd_gettime(timer, &left) == 0 &&
           left.it_value.tv_sec > 3000 && fcntl(event, F_GETFD) != -1;
  }

  int epoll;
  int timer;
  int event;
};

// The daemon is in the test's own process: the child's descriptors are the library's.
TEST_CASE("an event loop in the place of a stream's descriptors is left alone") {
  const Host host;
  CHECK(status_of([&host] {
          const Client client({.socket_path = host.daemon.path()});
          const int number = next_fd();
          auto stream = std::make_unique<Stream>(client);
          if (!stream->send("one", 1)) return 2;
          while (!stream->receive()) continue;
          const EventLoop loop(number);
          if (!stream->send("two", 2, {.timeout = 5s})) return 3;
          std::optional<Stream::Completed> completed;
          while (!completed) completed = stream->receive();  // by asking: its descriptor is lost
          if (!completed->answer.valid()) return 4;
          if (!loop.is_untouched()) return 5;
          stream.reset();
          return loop.is_untouched() ? 0 : 6;
        }) == 0);
}

TEST_CASE("a report opens a socket and nothing else, and closes only that") {
  const ReportHost host;
  CHECK(status_of([&host] {
          auto client =
              std::make_unique<Client>(ClientOptions{.socket_path = host.host.daemon.path()});
          const int number = next_fd();
          if (!client->report(brief_denial()).sent()) return 2;
          if (next_fd() != number + 1) return 3;
          const EventLoop loop(number);
          client->report(brief_denial());
          client->statistics();
          client.reset();
          return loop.is_untouched() ? 0 : 4;
        }) == 0);
}

TEST_CASE("an unused epoll instance and timer of the application do not pass for a stream's") {
  const Host host;
  CHECK(status_of([&host] {
          const Client client({.socket_path = host.daemon.path()});
          const int number = next_fd();
          auto stream = std::make_unique<Stream>(client);
          for (int fd = number; fd < number + 2; ++fd) close(fd);
          if (epoll_create1(EPOLL_CLOEXEC) != number) return 2;
          if (timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC) != number + 1) return 3;
          if (!stream->send("one", 1)) return 4;
          std::optional<Stream::Completed> completed;
          while (!completed) completed = stream->receive();
          itimerspec left{};
          timerfd_gettime(number + 1, &left);
          const bool armed = left.it_value.tv_sec != 0 || left.it_value.tv_nsec != 0;
          if (watched_by(number) != 0 || armed) return 5;
          stream.reset();
          return fcntl(number, F_GETFD) != -1 && fcntl(number + 1, F_GETFD) != -1 ? 0 : 6;
        }) == 0);
}

}  // namespace
}  // namespace claimsd::testing
