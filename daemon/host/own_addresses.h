// own_addresses.h: the IP addresses of this host, as text (inet_ntop(3)). Any thread.
//
// Not by getifaddrs(3): that takes a netlink socket, which the unit and the system call filter
// forbid. Sources: SIOCGIFCONF (netdevice(7)) for IPv4, /proc/self/net/if_inet6 (proc_net(5)) for
// IPv6. What cannot be read is missing.
#pragma once

#include <string>
#include <vector>

namespace claimsd::host {

std::vector<std::string> own_addresses();

}  // namespace claimsd::host
