// fetch_thread.h: sends requests to the Auth APIs from its own thread, so that DNS, TLS handshakes
// and slow bodies cannot delay a hit.
//
// Created, used and destroyed on the loop thread. `deliver` is called there, once per start(),
// never from within it. Destroying the object cancels requests in flight without calling `deliver`,
// which may itself start the next flight.
//
// A hanging name lookup costs its flight the connect_timeout. libcurl also leaves a thread behind
// until the resolver gives up (resolv.conf(5): `timeout`, `attempts`). `connections` bounds how
// many lookups start at once.
#pragma once

#include <functional>
#include <memory>
#include <thread>
#include <vector>

#include "daemon/claims/ports.h"
#include "daemon/log/log.h"
#include "daemon/loop/loop.h"
#include "daemon/upstream/credential_watch.h"
#include "daemon/upstream/settings.h"

namespace claimsd::upstream {

class FetchThread final : public claims::Upstream {
 public:
  using Deliver = std::function<void(claims::FlightId, claims::FetchOutcome&&)>;
  // Called on the loop thread when certificate files have changed (credential_watch.h).
  using Reported = std::function<void(const CredentialReport&)>;

  // An UpstreamId is a position in `upstreams`, not counting further URLs (next_url). Checks all
  // settings; an error names the option and the reason. Sends no request yet.
  static Result<std::unique_ptr<FetchThread>> create(std::vector<UpstreamSettings> upstreams,
                                                     Deliver deliver, loop::Loop& loop, Log& log,
                                                     Reported reported = {});
  ~FetchThread() override;
  FetchThread(const FetchThread&) = delete;
  FetchThread& operator=(const FetchThread&) = delete;

  void start(claims::FlightId id, claims::UpstreamId upstream, std::size_t url, const Secret& token,
             claims::Connect connect) override;
  void drop_connections(claims::UpstreamId upstream, std::size_t url) override;

  // Time since its loop last ran. Normally up to a few seconds, longer only while it hangs: libcurl
  // may block there on the resolver (curl #8515), for half a minute at most.
  Duration silent_for() const;

 private:
  struct Parts;
  explicit FetchThread(std::unique_ptr<Parts> parts);
  Status run();

  std::unique_ptr<Parts> parts_;
  std::thread thread_;
};

}  // namespace claimsd::upstream
