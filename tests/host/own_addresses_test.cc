#include "daemon/host/own_addresses.h"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>

#include "tests/support/catch.h"

namespace claimsd::host {
namespace {

// The same by getifaddrs(3), which a daemon without netlink cannot call.
std::vector<std::string> by_netlink() {
  ifaddrs* all = nullptr;
  REQUIRE(getifaddrs(&all) == 0);
  std::vector<std::string> texts;
  for (const ifaddrs* one = all; one != nullptr; one = one->ifa_next) {
    if (one->ifa_addr == nullptr) continue;
    const int family = one->ifa_addr->sa_family;
    std::array<char, INET6_ADDRSTRLEN> text{};
    const void* address = nullptr;
    if (family == AF_INET) address = &reinterpret_cast<sockaddr_in*>(one->ifa_addr)->sin_addr;
    if (family == AF_INET6) address = &reinterpret_cast<sockaddr_in6*>(one->ifa_addr)->sin6_addr;
    if (address != nullptr && inet_ntop(family, address, text.data(), text.size()) != nullptr)
      texts.emplace_back(text.data());
  }
  freeifaddrs(all);
  return texts;
}

TEST_CASE("the addresses of this host are those of its interfaces") {
  std::vector<std::string> found = own_addresses();
  std::vector<std::string> wanted = by_netlink();
  std::sort(found.begin(), found.end());
  std::sort(wanted.begin(), wanted.end());
  CHECK(found == wanted);
}

}  // namespace
}  // namespace claimsd::host
