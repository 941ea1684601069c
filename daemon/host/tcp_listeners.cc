#include "daemon/host/tcp_listeners.h"

#include <fmt/core.h>

#include <fstream>
#include <sstream>

#include "daemon/base/parse_integer.h"

namespace claimsd::host {
namespace {

constexpr const char* kListening = "0A";  // TCP_LISTEN in hexadecimal

// Columns: number, local address, remote address, state, queues, timer, retransmits, uid.
std::optional<std::uint32_t> uid_in(const char* table, const std::string& port_suffix) {
  std::ifstream lines(table);
  std::string line;
  std::getline(lines, line);  // the header
  while (std::getline(lines, line)) {
    std::istringstream columns(line);
    std::string number, local, remote, state, queues, timer, retransmits;
    std::uint32_t uid = 0;
    columns >> number >> local >> remote >> state >> queues >> timer >> retransmits >> uid;
    if (columns && state == kListening && local.ends_with(port_suffix)) return uid;
  }
  return std::nullopt;
}

}  // namespace

std::optional<std::uint32_t> uid_listening_on(const std::string& address) {
  const std::size_t colon = address.rfind(':');
  if (colon == std::string::npos) return std::nullopt;
  const auto port = parse_integer<std::uint16_t>(std::string_view(address).substr(colon + 1));
  if (!port) return std::nullopt;
  const std::string suffix = fmt::format(":{:04X}", *port);
  if (const auto uid = uid_in("/proc/self/net/tcp", suffix)) return uid;
  return uid_in("/proc/self/net/tcp6", suffix);
}

}  // namespace claimsd::host
