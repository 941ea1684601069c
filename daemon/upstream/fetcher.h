// fetcher.h: the flights of all Auth APIs: who waits, who runs, who is out of time. Fetch thread;
// owned by the FetchThread.
//
// Each URL of an Auth API has a lane of its own, with a limit on requests at once: one that hangs
// holds up nobody else's. A flight's deadline counts from its start, whether it waits or runs;
// curl's own time-out, which begins with the transfer, is not used.
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "daemon/base/log.h"
#include "daemon/loop/kernel_timer.h"
#include "daemon/upstream/curl_multi.h"
#include "daemon/upstream/target.h"
#include "daemon/upstream/transfer.h"

namespace claimsd::daemon {

class Fetcher {
 public:
  // Once for each start(); may be called from within it.
  using Landed = std::function<void(FlightId, FetchOutcome)>;

  static Result<std::unique_ptr<Fetcher>> create(Loop& loop, std::vector<Target> targets, Log& log,
                                                 Landed landed);
  // Ends what runs; nothing more lands.
  ~Fetcher();
  Fetcher(const Fetcher&) = delete;
  Fetcher& operator=(const Fetcher&) = delete;

  void start(FetchOrder flight);

 private:
  struct Lane {
    Target target;
    std::deque<FetchOrder> waiting;
    std::vector<std::unique_ptr<Transfer>> running;
    std::vector<std::unique_ptr<Transfer>> idle;
    Duration due(const FetchOrder& flight) const {
      return flight.started + target.settings.timeout;
    }
  };

  Fetcher(std::vector<Target> targets, Landed landed);
  void fill(Lane& lane);
  void launch(Lane& lane, FetchOrder flight);
  void done(CURL* easy, CURLcode code);
  std::unique_ptr<Transfer> take_running(Lane& lane, const Transfer& transfer);
  void sweep();
  void sweep(Lane& lane, Duration now);
  static Transfer* find_late(const Lane& lane, Duration now);
  void arm(Duration due);
  void land_failed(const FetchOrder& flight, proto::Reason reason, std::string detail);

  Landed landed_;
  std::vector<std::unique_ptr<Lane>> lanes_;
  std::optional<KernelTimer> deadline_;  // not stopped when its flight ends: sweep() finds the next
  std::unique_ptr<CurlMulti> multi_;
};

}  // namespace claimsd::daemon
