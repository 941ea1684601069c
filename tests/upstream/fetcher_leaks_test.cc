// Tokens are sent only to the configured URL and do not stay in memory.
#include <fcntl.h>
#include <string.h>  // explicit_bzero(3)
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <fstream>
#include <span>

#include "daemon/base/fd.h"
#include "proto/limits.h"
#include "tests/support/scratch_directory.h"
#include "tests/upstream/fetching.h"

namespace claimsd::upstream {
namespace {

using proto::Reason;

class Environment {
 public:
  void set(const char* name, const std::string& value) {
    const char* old = std::getenv(name);
    before_.emplace_back(name, old == nullptr ? std::string() : old);
    REQUIRE(setenv(name, value.c_str(), 1) == 0);
  }
  Environment() = default;
  ~Environment() {
    for (const auto& [name, value] : before_) {
      if (value.empty()) {
        unsetenv(name.c_str());
      } else {
        setenv(name.c_str(), value.c_str(), 1);
      }
    }
  }
  Environment(const Environment&) = delete;
  Environment& operator=(const Environment&) = delete;

 private:
  std::vector<std::pair<std::string, std::string>> before_;
};

TEST_CASE("a proxy in the environment is not used") {
  test::FaultServer& server = fresh_fault_server();
  Environment environment;
  const std::string trap = server.url("", "proxy_trap");
  for (const char* name :
       {"http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"}) {
    environment.set(name, trap);
  }
  const std::string listener = GENERATE("http", "https");
  Fetching fetching({upstream_of(server, "ok", listener)});
  CHECK(fetching.fetch().status == 200);
  CHECK(server.trap_is_empty());
}

TEST_CASE("a proxy in the settings is used despite no_proxy, and sees no token") {
  test::FaultServer& server = fresh_fault_server();
  Environment environment;
  environment.set("no_proxy", "*");
  UpstreamSettings settings = upstream_of(server, "ok", "https");
  settings.proxy = server.url("", "proxy_trap");
  settings.timeout = seconds(2);
  Fetching fetching({settings});
  CHECK(fetching.fetch().failure != Reason::kOk);  // the trap is not a proxy
  CHECK_FALSE(server.trap_is_empty());
  CHECK(server.get("/_trap").find("\"contains_bearer\": false") != std::string::npos);
}

TEST_CASE("a .netrc of the daemon's user has no effect") {
  test::FaultServer& server = fresh_fault_server();
  const claimsd::testing::ScratchDirectory home;
  std::ofstream(home / ".netrc") << "machine 127.0.0.1 login other password other\n"
                                 << "default login other password other\n";
  Environment environment;
  environment.set("HOME", home.path());
  Fetching fetching({upstream_of(server, "ok")});
  CHECK(fetching.fetch().status == 200);
  // SHA-256 of "Bearer header.payload.signature"
  CHECK(server.get("/_seen?mode=ok")
            .find("2d3673a6a04b83cd37d464bb3fdd7b5613cfd19b9a187da8ad3ab62407f3bd85") !=
        std::string::npos);
}

TEST_CASE("a redirect is returned as the answer, not followed") {
  test::FaultServer& server = fresh_fault_server();
  const std::string status = GENERATE("301", "302", "303", "307", "308");
  const std::string where = GENERATE("", "-other-port");
  Fetching fetching({upstream_of(server, "redirect-" + status + where)});
  CHECK(std::to_string(fetching.fetch().status) == status);
  CHECK(server.requests("redirect-target") == 0);
  CHECK(server.trap_is_empty());
}

TEST_CASE("an Alt-Svc or a cookie from the server is not used") {
  test::FaultServer& server = fresh_fault_server();
  const std::string mode = GENERATE("alt-svc", "set-cookie");
  Fetching fetching({upstream_of(server, mode)});
  for (int i = 0; i < 2; ++i) CHECK(fetching.fetch().status == 200);
  CHECK(server.requests(mode) == 2);
  CHECK(server.trap_is_empty());
  CHECK(server.get("/_seen?mode=" + mode).find("\"Cookie\"") == std::string::npos);
}

TEST_CASE("a request has only the headers it needs") {
  test::FaultServer& server = fresh_fault_server();
  Fetching fetching({upstream_of(server, "ok")});
  REQUIRE(fetching.fetch().status == 200);
  const std::string seen = server.get("/_seen?mode=ok");
  INFO(seen);
  CHECK(seen.find(R"("headers": ["Host", "User-Agent", "Accept", "Accept-Encoding", )"
                  R"("Authorization"])") != std::string::npos);
  CHECK(seen.find(R"("method": "GET")") != std::string::npos);
  CHECK(seen.find(R"("path": "/ok/api/me/")") != std::string::npos);
}

TEST_CASE("text that is not a token is never sent") {
  test::FaultServer& server = fresh_fault_server();
  Fetching fetching({upstream_of(server, "ok")});
  for (const std::string& token :
       {std::string("abc\r\nX-Smuggled: 1"), std::string("abc\r\n\r\nGET /x HTTP/1.1"),
        std::string("a b"), std::string("a\0b", 3), std::string(), std::string("a\x7f"),
        std::string(proto::kMaxToken + 1, 'a')}) {
    CHECK(fetching.fetch(token).failure == Reason::kInternal);
  }
  CHECK(server.requests("ok") == 0);
  CHECK(fetching.fetch(std::string(proto::kMaxToken, 'a')).status == 200);
  // A shorter token after it: no rest of the longer one may follow.
  CHECK(fetching.fetch().status == 200);
  CHECK(server.get("/_seen?mode=ok")
            .find("2d3673a6a04b83cd37d464bb3fdd7b5613cfd19b9a187da8ad3ab62407f3bd85") !=
        std::string::npos);
}

#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define CLAIMSD_SANITIZED
#endif
#endif
#else
#define CLAIMSD_SANITIZED
#endif

#ifndef CLAIMSD_SANITIZED  // their shadow memory is terabytes

constexpr char kMask = 0x55;

// Text masked at compile time, so that the program itself never contains it in the clear.
template <std::size_t kSize>
consteval std::array<char, kSize - 1> masked(const char (&text)[kSize]) {
  std::array<char, kSize - 1> pattern{};
  for (std::size_t i = 0; i < pattern.size(); ++i) pattern[i] = static_cast<char>(text[i] ^ kMask);
  return pattern;
}

// Whether writable memory of the process contains the text behind `pattern`. The text itself is
// never assembled.
bool in_memory(std::span<const char> pattern) {
  const Fd memory(open("/proc/self/mem", O_RDONLY | O_CLOEXEC));
  std::ifstream maps("/proc/self/maps");
  std::string line;
  while (std::getline(maps, line)) {
    std::size_t begin = 0;
    std::size_t end = 0;
    char access[5] = {};
    if (std::sscanf(line.c_str(), "%zx-%zx %4s", &begin, &end, access) != 3 || access[1] != 'w')
      continue;
    std::vector<char> copy(end - begin);
    const ssize_t got = pread(memory.get(), copy.data(), copy.size(), static_cast<off_t>(begin));
    if (got <= 0) continue;
    const auto at = std::search(copy.begin(), copy.begin() + got, pattern.begin(), pattern.end(),
                                [](char held, char wanted) { return held == (wanted ^ kMask); });
    const bool found = at != copy.begin() + got;
    explicit_bzero(copy.data(), copy.size());
    if (found) return true;
  }
  return false;
}

TEST_CASE("no token and no claim stays in memory after its flight") {
  constexpr auto kCanary = masked("canary.canary.canary-7");
  constexpr auto kClaim = masked("779ddc3c");  // of the response of `echo`: the token's SHA-256
  // Over http, because we cannot wipe OpenSSL's memory.
  Fetching fetching({upstream_of(fresh_fault_server(), "echo")});
  claims::FlightId id = 0;
  {
    std::array<char, kCanary.size()> token = kCanary;
    for (char& c : token) c = static_cast<char>(c ^ kMask);
    REQUIRE(in_memory(kCanary));  // the search finds what is there
    id = fetching.start({token.data(), token.size()});
    explicit_bzero(token.data(), token.size());
  }
  test::run_until(*fetching.loop, [&] { return fetching.completed.contains(id); });
  REQUIRE(fetching.completed[id].status == 200);
  REQUIRE(in_memory(kClaim));
  fetching.completed.clear();
  CHECK_FALSE(in_memory(kCanary));
  CHECK_FALSE(in_memory(kClaim));
}

#endif

}  // namespace
}  // namespace claimsd::upstream
