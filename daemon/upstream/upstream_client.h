// upstream_client.h: asks the Auth APIs, each from where it costs least.
//
// An Auth API over https, or with a name to look up, is asked from the FetchThread: resolvers and
// TLS handshakes block. One over plain http can only be on this host's loopback (target.h): no name
// is looked up, nothing is encrypted, and a connection is there at once or refused. It is asked
// from the loop itself, which saves a miss two hand-overs between threads, a quarter of what
// claimsd adds to it; that is what a TLS-terminating proxy on the host gets.
//
// Made, used and destroyed on the loop thread, but not destroyed from within `deliver`. `deliver`
// is called there, once for each start(), never from within it, and not any more once this is
// destroyed. Whoever gets an outcome may start the next flight. It may come just before the loop
// waits: a BeforeWait that is to see what it did must have been made earlier (before_wait.h).
#pragma once

#include <memory>
#include <vector>

#include "daemon/upstream/fetch_thread.h"

namespace claimsd::daemon {

class UpstreamClient final : public Upstream {
 public:
  using Deliver = FetchThread::Deliver;

  // An UpstreamId is a position in `upstreams`. Checks them and says what is wrong with which
  // option; asks nobody yet.
  static Result<std::unique_ptr<UpstreamClient>> create(std::vector<UpstreamSettings> upstreams,
                                                        Deliver deliver, Loop& loop, Log& log,
                                                        FetchThread::Reported reported = {});
  ~UpstreamClient() override;
  UpstreamClient(const UpstreamClient&) = delete;
  UpstreamClient& operator=(const UpstreamClient&) = delete;

  void start(FlightId id, UpstreamId upstream, std::size_t url, const Secret& token) override;

  // Of the fetch thread (fetch_thread.h); zero where there is none.
  Duration silent_for() const;

 private:
  struct Parts;
  explicit UpstreamClient(std::unique_ptr<Parts> parts);

  std::unique_ptr<Parts> parts_;
};

}  // namespace claimsd::daemon
