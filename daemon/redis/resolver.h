// resolver.h: resolves a host name within a deadline. getaddrinfo(3) may take half a minute, so glibc
// runs it on a thread of its own (getaddrinfo_a(3)). One thread.
//
// A lookup that missed its deadline cannot always be canceled. It is kept until it ends, and at most
// one is kept: meanwhile names are reported as not resolvable.
#pragma once

#include <memory>
#include <string>

#include "daemon/base/result.h"
#include "daemon/redis/wait.h"

struct addrinfo;

namespace claimsd::redis {

class Resolver {
 public:
  struct FreeAddresses {
    void operator()(addrinfo* list) const;
  };
  using Addresses = std::unique_ptr<addrinfo, FreeAddresses>;

  Resolver();
  ~Resolver();
  Resolver(const Resolver&) = delete;
  Resolver& operator=(const Resolver&) = delete;

  // Stream addresses, in the order to try. An address is returned at once.
  Result<Addresses> resolve(const std::string& host, std::uint16_t port, const Wait& wait,
                            BootTime deadline);

 private:
  struct Lookup;
  std::unique_ptr<Lookup> unfinished_;
};

}  // namespace claimsd::redis
