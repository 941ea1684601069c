// fetch_thread.h: asks the Auth APIs, on a thread of its own, so that DNS, TLS handshakes and slow
// bodies cannot delay a hit.
//
// Made, used and destroyed on the loop thread; `deliver` is called there, once for each start(),
// never from within it, and not any more once it is destroyed: what is in the air then is cut off.
// Whoever gets an outcome may start the next flight.
//
// A look-up of a name that hangs costs its flight the connect_timeout and then a thread that
// libcurl leaves behind until the resolver gives up (resolv.conf(5): `timeout`, `attempts`);
// `connections` bounds how many begin at once.
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

namespace claimsd::daemon {

class FetchThread final : public Upstream {
 public:
  using Deliver = std::function<void(FlightId, FetchOutcome&&)>;
  // What becomes of certificates whose files change (credential_watch.h): on the loop thread.
  using Reported = std::function<void(const CredentialReport&)>;

  // An UpstreamId is a position in `upstreams`, further URLs (next_url) not counted. Checks them
  // and says what is wrong with which option; asks nobody yet.
  static Result<std::unique_ptr<FetchThread>> create(std::vector<UpstreamSettings> upstreams,
                                                     Deliver deliver, Loop& loop, Log& log,
                                                     Reported reported = {});
  ~FetchThread() override;
  FetchThread(const FetchThread&) = delete;
  FetchThread& operator=(const FetchThread&) = delete;

  void start(FlightId id, UpstreamId upstream, std::size_t url, const Secret& token) override;

  // How long ago its loop last turned: up to a few seconds where all is well, more only while it
  // hangs. Libcurl may wait for a resolver there (curl #8515), half a minute at most.
  Duration silent_for() const;

 private:
  struct Parts;
  explicit FetchThread(std::unique_ptr<Parts> parts);
  Status run();

  std::unique_ptr<Parts> parts_;
  std::thread thread_;
};

}  // namespace claimsd::daemon
