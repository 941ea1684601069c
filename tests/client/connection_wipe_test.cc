// What a lookup leaves behind in the memory of the process: nothing. A core dump taken afterwards
// holds neither the token nor the claims, although the handle and its connection live on.
#include <unistd.h>

#include "tests/client/secret.h"
#include "tests/client/stream_helpers.h"
#include "tests/support/catch.h"

namespace claimsd::testing {
namespace {

claimsd_query_request query_for(const Secret& secret) {
  claimsd_query_request request = CLAIMSD_QUERY_REQUEST_INIT;
  request.token = secret.bytes;
  request.token_size = sizeof secret.bytes;
  return request;
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
          const claimsd_query_request request = query_for(token);
          claimsd_answer* answer = nullptr;
          const claimsd_result result = claimsd_query(host.client.get(), &request, &answer);
          return verdict_on(result, answer, token);
        }) == kWiped);
}

TEST_CASE("a stream leaves neither token nor claims in memory") {
  Host host;
  CHECK(result_of_child([&] {
          Secret token(2);
          const claimsd_query_request request = query_for(token);
          claimsd_stream* stream = nullptr;
          claimsd_stream_open(host.client.get(), &stream);
          claimsd_stream_send(stream, &request, 1);
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
          claimsd_query_request request = query_for(token);
          request.timeout_ms = 20;
          if (claimsd_query(host.client.get(), &request, nullptr) != CLAIMSD_UNAVAILABLE)
            return kNotSeenAtAll;
          claimsd_stream* stream = nullptr;
          claimsd_stream_open(host.client.get(), &stream);
          claimsd_stream_send(stream, &request, 1);
          while (claimsd_stream_receive(stream, nullptr, nullptr) == CLAIMSD_AGAIN) usleep(1000);
          token.wipe();
          return count_in_this_process(token) == 0 ? kWiped : kLeftBehind;
        }) == kWiped);
}

}  // namespace
}  // namespace claimsd::testing
