#include "daemon/host/own_addresses.h"

#include <arpa/inet.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <array>
#include <charconv>
#include <cstring>
#include <fstream>

#include "daemon/base/fd.h"

namespace claimsd::host {
namespace {

constexpr std::size_t kMaxInterfaces = 256;

void add(std::vector<std::string>& to, int family, const void* address) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  if (inet_ntop(family, address, text.data(), text.size()) != nullptr) to.emplace_back(text.data());
}

void add_ipv4(std::vector<std::string>& to) {
  const Fd any(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  std::vector<ifreq> rows(kMaxInterfaces);
  ifconf request{};
  request.ifc_len = static_cast<int>(rows.size() * sizeof(ifreq));
  request.ifc_req = rows.data();
  if (!any || ioctl(any.get(), SIOCGIFCONF, &request) != 0) return;
  rows.resize(static_cast<std::size_t>(request.ifc_len) / sizeof(ifreq));
  for (const ifreq& row : rows) {
    sockaddr_in address{};
    std::memcpy(&address, &row.ifr_addr, sizeof address);
    add(to, AF_INET, &address.sin_addr);
  }
}

// Each line begins with 32 hexadecimal digits.
void add_ipv6(std::vector<std::string>& to) {
  std::ifstream lines("/proc/self/net/if_inet6");
  for (std::string line; std::getline(lines, line);) {
    in6_addr address{};
    bool valid = line.size() >= 32;
    for (std::size_t at = 0; valid && at < sizeof address.s6_addr; ++at) {
      const char* const digits = line.data() + 2 * at;
      valid = std::from_chars(digits, digits + 2, address.s6_addr[at], 16).ptr == digits + 2;
    }
    if (valid) add(to, AF_INET6, &address);
  }
}

}  // namespace

std::vector<std::string> own_addresses() {
  std::vector<std::string> addresses;
  add_ipv4(addresses);
  add_ipv6(addresses);
  return addresses;
}

}  // namespace claimsd::host
