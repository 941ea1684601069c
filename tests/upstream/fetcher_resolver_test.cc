// Name lookups that hang. This program's own getaddrinfo() replaces the C library's, so libcurl's
// real resolver threads hang.
#include <dlfcn.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <atomic>
#include <condition_variable>
#include <cstring>
#include <mutex>
#include <string>
#include <vector>

#include "daemon/base/fd.h"
#include "tests/upstream/fetching.h"

namespace {

struct Hanging {
  std::mutex mutex;
  std::condition_variable changed;
  int inside = 0;
  bool released = false;
};

// Never destroyed: a resolver thread may outlive main().
Hanging& hanging() {
  static Hanging& instance = *new Hanging;
  return instance;
}

std::atomic<int> localhost_lookups{0};

// The addresses of auth.test.
struct Addresses {
  std::mutex mutex;
  std::vector<std::string> list;
  int lookups = 0;
};

Addresses& addresses() {
  static Addresses& instance = *new Addresses;
  return instance;
}

void set_addresses(std::vector<std::string> list) {
  const std::lock_guard lock(addresses().mutex);
  addresses().list = std::move(list);
  addresses().lookups = 0;
}

int lookups() {
  const std::lock_guard lock(addresses().mutex);
  return addresses().lookups;
}

// One chain of all addresses, in order.
template <class Function>
int resolve_auth_test(Function real, const char* service, const addrinfo* hints,
                      addrinfo** result) {
  const std::lock_guard lock(addresses().mutex);
  ++addresses().lookups;
  addrinfo** end = result;
  for (const std::string& address : addresses().list) {
    if (const int error = real(address.c_str(), service, hints, end)) return error;
    while (*end != nullptr) end = &(*end)->ai_next;
  }
  return 0;
}

}  // namespace

extern "C" int getaddrinfo(const char* node, const char* service, const addrinfo* hints,
                           addrinfo** result) {
  using Function = int (*)(const char*, const char*, const addrinfo*, addrinfo**);
  static const auto real = reinterpret_cast<Function>(dlsym(RTLD_NEXT, "getaddrinfo"));
  if (node != nullptr && std::strcmp(node, "localhost") == 0) ++localhost_lookups;
  if (node != nullptr && std::strcmp(node, "auth.test") == 0)
    return resolve_auth_test(real, service, hints, result);
  if (node == nullptr || std::strcmp(node, "hang.test") != 0)
    return real(node, service, hints, result);
  Hanging& state = hanging();
  std::unique_lock lock(state.mutex);
  ++state.inside;
  state.changed.notify_all();
  state.changed.wait(lock, [&] { return state.released; });
  --state.inside;
  state.changed.notify_all();
  return EAI_AGAIN;
}

namespace claimsd::upstream {
namespace {

using proto::Reason;

class HangingNames {
 public:
  HangingNames() {
    const std::lock_guard lock(hanging().mutex);
    hanging().released = false;
  }
  // Releases the resolver threads and waits until they have ended.
  ~HangingNames() {
    Hanging& state = hanging();
    std::unique_lock lock(state.mutex);
    state.released = true;
    state.changed.notify_all();
    state.changed.wait(lock, [&] { return state.inside == 0; });
  }
  HangingNames(const HangingNames&) = delete;
  HangingNames& operator=(const HangingNames&) = delete;

  void wait_until_one_hangs() {
    std::unique_lock lock(hanging().mutex);
    hanging().changed.wait(lock, [] { return hanging().inside > 0; });
  }
};

UpstreamSettings unresolvable() {
  UpstreamSettings settings;
  settings.name = "hanging";
  settings.url = "https://hang.test";
  settings.connect_timeout = milliseconds(150);
  return settings;
}

TEST_CASE("a name lookup that hangs times out and does not delay other upstreams") {
  HangingNames names;
  Fetching fetching({unresolvable(), upstream_of(fresh_fault_server(), "ok")});
  for (int i = 0; i < 3; ++i) {
    const claims::FlightId hung = fetching.start(kToken, 0);
    CHECK(fetching.fetch(kToken, 1).status == 200);
    CHECK(fetching.wait_for(hung).failure == Reason::kUpstreamTimeout);
    // The resolver still hangs, and the fetch thread must not wait for it.
    CHECK(fetching.fetch(kToken, 1).status == 200);
  }
}

TEST_CASE("destruction does not wait for a name lookup that hangs") {
  HangingNames names;
  UpstreamSettings settings = unresolvable();
  settings.connect_timeout = settings.timeout = seconds(300);
  Fetching fetching({settings});
  fetching.start();
  names.wait_until_one_hangs();
  const Duration begin = loop::Loop::hrtime();
  fetching.destroy();
  CHECK(loop::Loop::hrtime() - begin < seconds(30));
  CHECK(fetching.completed.empty());
}

TEST_CASE("localhost is never looked up") {
  UpstreamSettings settings = upstream_of(fresh_fault_server(), "ok");
  settings.url = "http://localhost:" + std::to_string(fresh_fault_server().port("http")) + "/ok";
  Fetching fetching({settings});
  CHECK(fetching.fetch().status == 200);
  CHECK(localhost_lookups == 0);
}

TEST_CASE("localhost means 127.0.0.1 only: another user may listen on ::1") {
  const Fd listener(socket(AF_INET6, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  sockaddr_in6 address{};
  address.sin6_family = AF_INET6;
  address.sin6_addr = IN6ADDR_LOOPBACK_INIT;
  if (bind(listener.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
    return;  // no IPv6 here
  REQUIRE(listen(listener.get(), 4) == 0);
  socklen_t size = sizeof address;
  getsockname(listener.get(), reinterpret_cast<sockaddr*>(&address), &size);
  UpstreamSettings settings = unresolvable();
  settings.url = "http://localhost:" + std::to_string(ntohs(address.sin6_port));
  Fetching fetching({settings});
  CHECK(fetching.fetch().failure == Reason::kUpstreamConnect);
  CHECK(accept(listener.get(), nullptr, nullptr) == -1);
}

// An https upstream under the name auth.test.
UpstreamSettings named_upstream(test::FaultServer& server, std::string_view mode,
                                std::string_view listener) {
  UpstreamSettings settings = upstream_of(server, mode, listener);
  settings.url =
      "https://auth.test:" + std::to_string(server.port(listener)) + "/" + std::string(mode);
  return settings;
}

TEST_CASE("a first address that does not answer is passed over within connect_timeout") {
  test::FaultServer& server = fresh_fault_server();
  set_addresses({"127.0.0.2", "127.0.0.1"});  // the first never completes a connection
  UpstreamSettings settings = named_upstream(server, "ok", "https");
  settings.timeout = seconds(4);
  settings.connect_timeout = seconds(2);
  Fetching fetching({settings});
  const claims::FetchOutcome outcome = fetching.fetch();
  INFO(outcome.detail);
  CHECK(outcome.status == 200);
  CHECK(outcome.took < seconds(2));
}

TEST_CASE("a name that moved while its old address refuses is followed within the request") {
  test::FaultServer& server = fresh_fault_server();
  server.post("/_door?open=1");
  set_addresses({"127.0.0.1"});
  Fetching fetching({named_upstream(server, "ok", "https_door")});
  REQUIRE(fetching.fetch().status == 200);
  set_addresses({"127.0.0.3"});
  server.post("/_door?open=0");
  const claims::FetchOutcome outcome = fetching.fetch();
  INFO(outcome.detail);
  CHECK(outcome.status == 200);
  CHECK(lookups() == 1);
  server.post("/_door?open=1");
}

TEST_CASE("a resolved name is used for dns_cache") {
  test::FaultServer& server = fresh_fault_server();
  set_addresses({"127.0.0.1"});
  UpstreamSettings settings = named_upstream(server, "ok", "https");
  settings.connection_max_age = seconds(0);  // so that each request resolves the name
  const bool is_cached = GENERATE(true, false);
  settings.dns_cache = is_cached ? seconds(10) : seconds(0);
  Fetching fetching({settings});
  for (int i = 0; i < 3; ++i) CHECK(fetching.fetch().status == 200);
  CHECK(lookups() == (is_cached ? 1 : 3));
}

TEST_CASE("a nonexistent name is a failure to connect") {
  UpstreamSettings settings = unresolvable();
  settings.url = "https://does-not-exist.invalid";
  settings.connect_timeout = seconds(15);
  settings.timeout = seconds(15);
  Fetching fetching({settings});
  const claims::FetchOutcome outcome = fetching.fetch();
  INFO(outcome.detail);
  CHECK(outcome.failure == Reason::kUpstreamConnect);
  CHECK(outcome.detail.find("does-not-exist.invalid") != std::string::npos);
}

}  // namespace
}  // namespace claimsd::upstream
