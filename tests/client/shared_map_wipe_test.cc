// What the table keeps, it keeps for itself: it goes when its lease has ended, when the handle is
// closed, and in a forked child, and no core dump would hold it.
#include <sys/mman.h>

#include "tests/client/map_host.h"
#include "tests/client/secret.h"
#include "tests/support/catch.h"

namespace claimsd::testing {
namespace {

constexpr std::size_t kTokenSize = 200;

// A token that begins with the secret. Other numbers than in wipe_test.cc, whose tests leave theirs
// with the fake daemon's threads.
struct SecretToken {
  explicit SecretToken(unsigned number) : secret(number) {
    std::memset(text, 'x', sizeof text);
    std::memcpy(text, secret.bytes, kSecretSize);
    secret.wipe();
  }
  std::string_view view() const { return {text, sizeof text}; }
  void wipe() { explicit_bzero(text, sizeof text); }
  int found() const { return count_in_this_process(secret); }

  Secret secret;
  char text[kTokenSize];
};

// Published by a process that is not the client's, nor the client's parent.
void publish_elsewhere(MapHost& host, unsigned number, std::uint64_t lease_end) {
  REQUIRE(result_of_child([&] {
            const SecretToken token(number);
            host.map->publish(token.view(), claims_block(token.view().substr(0, 100)),
                              {.lease_end = lease_end});
            return 0;
          }) == 0);
}

bool is_answered_by(const Client& client, std::string_view token, claimsd_source source) {
  claimsd_query_request request = CLAIMSD_QUERY_REQUEST_INIT;
  request.token = token.data();
  request.token_size = token.size();
  claimsd_answer* answer = nullptr;
  const bool right = claimsd_query(client.get(), &request, &answer) == CLAIMSD_VALID &&
                     claimsd_answer_source(answer) == source;
  claimsd_answer_free(answer);
  return right;
}

// The token's memory is the caller's; what else is there is the library's. 0 if it is so.
template <class Then>
int what_remains(MapHost& host, unsigned number, Then&& then) {
  SecretToken token(number);
  host.meet();
  if (!is_answered_by(host.client, token.view(), CLAIMSD_SOURCE_SHARED)) return 10;
  if (!is_answered_by(host.client, token.view(), CLAIMSD_SOURCE_LOCAL)) return 11;
  if (token.found() < 3)
    return 12;  // the caller's, and token and id in the table: the search works
  return then(token);
}

TEST_CASE("closing the handle leaves neither token nor claims in memory") {
  MapHost host;
  publish_elsewhere(host, 11, boot_now() + 60 * kSecond);
  CHECK(result_of_child([&] {
          return what_remains(host, 11, [&](SecretToken& token) {
            claimsd_close(host.client.get());
            token.wipe();
            return token.found();
          });
        }) == 0);
}

TEST_CASE("a handle without a table leaves neither token nor claims in memory") {
  MapHost host({.flags = CLAIMSD_NO_LOCAL_TABLE});
  publish_elsewhere(host, 12, boot_now() + 60 * kSecond);
  CHECK(result_of_child([&] {
          SecretToken token(12);
          host.meet();
          if (!is_answered_by(host.client, token.view(), CLAIMSD_SOURCE_SHARED)) return 10;
          token.wipe();
          return token.found();
        }) == 0);
}

TEST_CASE("a forked child inherits neither token nor claims") {
  MapHost host;
  publish_elsewhere(host, 13, boot_now() + 60 * kSecond);
  CHECK(result_of_child([&] {
          return what_remains(host, 13, [&](SecretToken& token) {
            return result_of_child([&] {
              token.wipe();
              return token.found();
            });
          });
        }) == 0);
}

TEST_CASE("an answer whose lease was found to have ended leaves nothing in memory") {
  MapHost host;
  publish_elsewhere(host, 14, boot_now() + 60 * kSecond);
  CHECK(result_of_child([&] {
          return what_remains(host, 14, [&](SecretToken& token) {
            ++host.map->header().epoch;
            if (!is_answered_by(host.client, token.view(), CLAIMSD_SOURCE_CACHE)) return 13;
            token.wipe();
            return token.found();
          });
        }) == 0);
}

TEST_CASE("what makes room in the table is wiped") {
  MapHost host({.local_entries = 4});
  publish_elsewhere(host, 15, boot_now() + 30 * kSecond);
  for (int i = 0; i < 4; ++i) host.publish(long_token(i));
  CHECK(result_of_child([&] {
          return what_remains(host, 15, [&](SecretToken& token) {
            for (int i = 0; i < 4; ++i) {
              if (host.ask(long_token(i)) != Source::kShared) return 13;
            }
            token.wipe();
            return token.found();
          });
        }) == 0);
}

// What this process alone pays for, in bytes (proc(5)).
std::int64_t private_memory() {
  std::FILE* const rollup = std::fopen("/proc/self/smaps_rollup", "r");
  char line[256];
  long kilobytes = 0;
  long found = 0;
  while (std::fgets(line, sizeof line, rollup) != nullptr) {
    if (std::sscanf(line, "Private_Dirty: %ld kB", &kilobytes) == 1) found = kilobytes;
  }
  std::fclose(rollup);
  return std::int64_t{found} * 1024;
}

TEST_CASE("a client with a full table takes at most 2 MiB of its own") {
  constexpr int kTokens = 4000;
  MapHost host({}, {.slots = 65536});
  const std::string tail(740, 'x');
  const auto token = [&](int number) { return long_token(number) + tail; };
  for (int i = 0; i < kTokens; ++i) {
    host.map->publish(token(i), claims_block("7", "a@b.example", {"rvt"},
                                             "{\"a\":\"" + std::string(290, 'n') + "\"}"));
  }
  CHECK(result_of_child([&] {
          static_cast<void>(private_memory());  // what the test itself touches
          const std::int64_t before = private_memory();
          host.map->beat();
          host.meet();
          for (int i = 0; i < kTokens; ++i) {
            if (i % 100 == 0) host.map->beat();
            if (!host.client.query(token(i)).valid()) return 10;
          }
          if (host.client.statistics().shared_hits < kTokens * 9 / 10) return 11;
          const std::int64_t taken = private_memory() - before;
          // It was the table that was filled.
          if (taken < 900 * 1024) return 12;
          return taken <= 2 * 1024 * 1024 ? 0 : 13;
        }) == 0);
}

// VmFlags "dd": not dumped; "wf": wiped on fork (proc(5)).
TEST_CASE("the table is kept out of core dumps and out of children, the map out of core dumps") {
  MapHost host({.local_entries = 4096});
  host.meet();
  std::FILE* const maps = std::fopen("/proc/self/smaps", "r");
  char line[512];
  bool in_map = false;
  bool in_table = false;
  int seen = 0;
  while (std::fgets(line, sizeof line, maps) != nullptr) {
    std::uintptr_t begin = 0;
    std::uintptr_t end = 0;
    char access[8];
    if (std::sscanf(line, "%lx-%lx %7s", &begin, &end, access) == 3) {
      in_map = std::strstr(line, "memfd:test map") != nullptr && access[1] == '-';
      in_table = end - begin == host.client.statistics().local_bytes;
    } else if (std::strncmp(line, "VmFlags:", 8) == 0 && (in_map || in_table)) {
      ++seen;
      CHECK(std::strstr(line, " dd") != nullptr);
      if (in_table) CHECK(std::strstr(line, " wf") != nullptr);
    }
  }
  std::fclose(maps);
  CHECK(seen == 2);
}

}  // namespace
}  // namespace claimsd::testing
