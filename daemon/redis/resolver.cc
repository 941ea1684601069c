#include "daemon/redis/resolver.h"

#include <fmt/core.h>
#include <netdb.h>

#include <algorithm>

namespace claimsd::redis {
namespace {

// How long to wait before the stop signal is looked at again.
constexpr Duration kStep = milliseconds(50);

addrinfo stream_hints(int flags) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = flags;
  return hints;
}

}  // namespace

void Resolver::FreeAddresses::operator()(addrinfo* list) const {
  freeaddrinfo(list);
}

// What glibc's thread reads and writes.
struct Resolver::Lookup {
  std::string host;
  std::string port;
  addrinfo hints{};
  gaicb request{};

  Lookup() = default;
  Lookup(const Lookup&) = delete;
  Lookup& operator=(const Lookup&) = delete;
  ~Lookup() {
    if (request.ar_result != nullptr) freeaddrinfo(request.ar_result);
  }
};

// Memory that glibc's thread still uses is never freed.
Resolver::~Resolver() {
  if (!unfinished_ || gai_error(&unfinished_->request) != EAI_INPROGRESS) return;
  if (gai_cancel(&unfinished_->request) != EAI_CANCELED) static_cast<void>(unfinished_.release());
}

Resolver::Resolver() = default;

Result<Resolver::Addresses> Resolver::resolve(const std::string& host, std::uint16_t port,
                                              const Wait& wait, BootTime deadline) {
  const std::string service = fmt::format("{}", port);
  const addrinfo numeric = stream_hints(AI_NUMERICHOST | AI_NUMERICSERV);
  addrinfo* list = nullptr;
  if (getaddrinfo(host.c_str(), service.c_str(), &numeric, &list) == 0) return Addresses(list);

  if (unfinished_ && gai_error(&unfinished_->request) == EAI_INPROGRESS)
    return failure("the resolver does not answer");
  unfinished_ = std::make_unique<Lookup>();
  Lookup& lookup = *unfinished_;
  lookup.host = host;
  lookup.port = service;
  lookup.hints = stream_hints(AI_NUMERICSERV);
  lookup.request.ar_name = lookup.host.c_str();
  lookup.request.ar_service = lookup.port.c_str();
  lookup.request.ar_request = &lookup.hints;
  gaicb* requests[] = {&lookup.request};
  if (const int error = getaddrinfo_a(GAI_NOWAIT, requests, 1, nullptr); error != 0)
    return failure(gai_strerror(error));
  while (gai_error(&lookup.request) == EAI_INPROGRESS) {
    const Duration left = std::min(deadline - wait.now(), kStep);
    if (left <= Duration(0) || wait.stopping()) return failure("the resolver does not answer");
    const timespec time{.tv_sec = 0, .tv_nsec = left.count()};
    gai_suspend(requests, 1, &time);
  }
  const int error = gai_error(&lookup.request);
  Addresses found(std::exchange(lookup.request.ar_result, nullptr));
  unfinished_.reset();
  if (error != 0) return failure(gai_strerror(error));
  return found;
}

}  // namespace claimsd::redis
