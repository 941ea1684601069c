// upstream_client.h: sends requests to the Auth APIs, each from the thread where it costs least.
//
// Resolvers and TLS handshakes block, so an Auth API over https, or with a name to resolve, is
// called from the FetchThread. Plain http is allowed only on this host's loopback (target.h): no
// lookup, no encryption, and the connection succeeds or fails at once. It is called from the loop
// itself, which saves two hand-overs between threads, a quarter of claimsd's cost of a miss. A
// TLS-terminating proxy on the host benefits from this.
//
// Created, used and destroyed on the loop thread, never destroyed within `deliver`. `deliver` is
// called there, once per start(), never from within it, never after destruction. It may start the
// next flight. It may be called just before the loop waits: a BeforeWait that must see its effects
// has to be created earlier (before_wait.h).
#pragma once

#include <memory>
#include <vector>

#include "daemon/upstream/fetch_thread.h"

namespace claimsd::daemon {

class UpstreamClient final : public Upstream {
 public:
  using Deliver = FetchThread::Deliver;

  // An UpstreamId is a position in `upstreams`. Checks all settings; an error names the option and
  // the reason. Sends no request yet.
  static Result<std::unique_ptr<UpstreamClient>> create(std::vector<UpstreamSettings> upstreams,
                                                        Deliver deliver, Loop& loop, Log& log,
                                                        FetchThread::Reported reported = {});
  ~UpstreamClient() override;
  UpstreamClient(const UpstreamClient&) = delete;
  UpstreamClient& operator=(const UpstreamClient&) = delete;

  void start(FlightId id, UpstreamId upstream, std::size_t url, const Secret& token) override;

  // Of the fetch thread (fetch_thread.h); zero if there is none.
  Duration silent_for() const;

 private:
  struct Parts;
  explicit UpstreamClient(std::unique_ptr<Parts> parts);

  std::unique_ptr<Parts> parts_;
};

}  // namespace claimsd::daemon
