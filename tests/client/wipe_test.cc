// What a lookup leaves behind in the memory of the process: nothing. A core dump taken afterwards
// holds neither the token nor the claims, although the handle and its connection live on.
#include <sys/wait.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <cstdio>

#include "tests/client/stream_helpers.h"

namespace claimsd::testing {
namespace {

// A secret that is never written down in one piece but where it is meant to be. Another one in each
// test: the daemon's threads in the parent remember what they were asked, and the next child
// inherits that.
constexpr unsigned char kMask = 0x5a;
constexpr std::size_t kSecretSize = 48;

struct Secret {
  explicit Secret(unsigned number) : number_(number) {
    for (std::size_t i = 0; i < kSecretSize; ++i) bytes[i] = static_cast<char>(masked(i) ^ kMask);
  }
  ~Secret() { wipe(); }
  void wipe() { explicit_bzero(bytes, sizeof bytes); }
  char masked(std::size_t i) const {
    return static_cast<char>(('A' + (i * (7 + number_)) % 53) ^ kMask);
  }

  // How often 16 bytes from its middle lie in [begin, end).
  int count(const volatile char* begin, const volatile char* end) const {
    constexpr std::size_t kFrom = 16;
    constexpr std::size_t kLength = 16;
    int found = 0;
    for (const volatile char* at = begin; at + kLength <= end; ++at) {
      std::size_t same = 0;
      while (same < kLength && static_cast<char>(at[same] ^ kMask) == masked(kFrom + same)) ++same;
      if (same == kLength) ++found;
    }
    return found;
  }

  char bytes[kSecretSize];
  unsigned number_;
};

int count_in_this_process(const Secret& secret) {
  int found = 0;
  std::FILE* const maps = std::fopen("/proc/self/maps", "r");
  char line[512];
  while (std::fgets(line, sizeof line, maps) != nullptr) {
    std::uintptr_t begin = 0;
    std::uintptr_t end = 0;
    char access[8];
    if (std::sscanf(line, "%lx-%lx %7s", &begin, &end, access) != 3 || access[1] != 'w') continue;
    found += secret.count(reinterpret_cast<const volatile char*>(begin),
                          reinterpret_cast<const volatile char*>(end));
  }
  std::fclose(maps);
  return found;
}

claimsd_question question_for(const Secret& secret) {
  claimsd_question question = CLAIMSD_QUESTION_INIT;
  question.token = secret.bytes;
  question.token_size = sizeof secret.bytes;
  return question;
}

// The daemon's threads stay behind in the parent, so that what the child holds is the client's
// alone.
template <class Child>
int result_of_child(Child&& child) {
  const pid_t pid = fork();
  if (pid == 0) _exit(child());
  int status = -1;
  waitpid(pid, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

constexpr int kWiped = 0;
constexpr int kLeftBehind = 1;
constexpr int kNotSeenAtAll = 2;  // the search is broken, or the answer was not the one expected

int verdict_on(claimsd_result result, claimsd_answer* answer, Secret& token) {
  // The search must find what is there: the claims repeat the token as the user's id.
  const bool seen =
      result == CLAIMSD_VALID &&
      token.count(claimsd_answer_id(answer), claimsd_answer_id(answer) + kSecretSize) == 1 &&
      count_in_this_process(token) > 0;
  claimsd_answer_free(answer);
  token.wipe();
  if (!seen) return kNotSeenAtAll;
  return count_in_this_process(token) == 0 ? kWiped : kLeftBehind;
}

TEST_CASE("a blocking lookup leaves neither token nor claims in memory") {
  Host host;
  CHECK(result_of_child([&] {
          Secret token(1);
          const claimsd_question question = question_for(token);
          claimsd_answer* answer = nullptr;
          const claimsd_result result = claimsd_query(host.client.get(), &question, &answer);
          return verdict_on(result, answer, token);
        }) == kWiped);
}

TEST_CASE("a stream leaves neither token nor claims in memory") {
  Host host;
  CHECK(result_of_child([&] {
          Secret token(2);
          const claimsd_question question = question_for(token);
          claimsd_stream* stream = nullptr;
          claimsd_stream_open(host.client.get(), &stream);
          claimsd_stream_send(stream, &question, 1);
          claimsd_answer* answer = nullptr;
          claimsd_result result = CLAIMSD_AGAIN;
          while (result == CLAIMSD_AGAIN) {
            pollfd readable{.fd = claimsd_stream_fd(stream), .events = POLLIN, .revents = 0};
            poll(&readable, 1, 5000);
            result = claimsd_stream_receive(stream, nullptr, &answer);
          }
          return verdict_on(result, answer, token);
        }) == kWiped);
}

TEST_CASE("a question that timed out leaves no token in memory") {
  Host host([](Peer& peer) {
    peer.welcome();
    while (peer.receive()) {
    }
  });
  CHECK(result_of_child([&] {
          Secret token(3);
          claimsd_question question = question_for(token);
          question.timeout_ms = 20;
          if (claimsd_query(host.client.get(), &question, nullptr) != CLAIMSD_UNAVAILABLE)
            return kNotSeenAtAll;
          claimsd_stream* stream = nullptr;
          claimsd_stream_open(host.client.get(), &stream);
          claimsd_stream_send(stream, &question, 1);
          while (claimsd_stream_receive(stream, nullptr, nullptr) == CLAIMSD_AGAIN) usleep(1000);
          token.wipe();
          return count_in_this_process(token) == 0 ? kWiped : kLeftBehind;
        }) == kWiped);
}

}  // namespace
}  // namespace claimsd::testing
