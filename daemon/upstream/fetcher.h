// fetcher.h: the flights of all Auth APIs: who waits, who runs, who is out of time. Fetch thread;
// owned by the FetchThread.
//
// Each URL of an Auth API has a lane of its own, with a limit on requests at once: one that hangs
// holds up nobody else's. A flight's deadline counts from its start, whether it waits or runs;
// curl's own time-out, which begins with the transfer, is not used.
//
// Where an Auth API's certificates are files they are looked at every second. New ones are for the
// requests that start from then on, over connections of their own; those on their way end as they
// began, and with the last of them their connections go.
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "daemon/log/log.h"
#include "daemon/loop/kernel_timer.h"
#include "daemon/upstream/credential_watch.h"
#include "daemon/upstream/curl_multi.h"
#include "daemon/upstream/target.h"
#include "daemon/upstream/transfer.h"

namespace claimsd::daemon {

class Fetcher {
 public:
  // Once for each start(); may be called from within it.
  using Landed = std::function<void(FlightId, FetchOutcome&&)>;
  // When files of certificates have changed; as found at start, first of all.
  using Reported = std::function<void(const CredentialReport&)>;

  static constexpr Duration kBetweenLooks = seconds(1);

  static Result<std::unique_ptr<Fetcher>> create(Loop& loop, std::vector<Target> targets, Log& log,
                                                 Landed landed, Reported reported = {});
  // Ends what runs; nothing more lands.
  ~Fetcher();
  Fetcher(const Fetcher&) = delete;
  Fetcher& operator=(const Fetcher&) = delete;

  void start(const FetchOrder& flight, std::string_view token);
  // At the files of all Auth APIs; by itself every kBetweenLooks.
  void look();

 private:
  struct WaitingFetch {
    FetchOrder flight;
    Secret token;
  };
  struct Lane {
    Target target;
    CredentialWatch* watch = nullptr;  // of its Auth API; null: it has no files
    std::shared_ptr<Connections> connections;
    std::deque<WaitingFetch> waiting;
    std::vector<std::unique_ptr<Transfer>> running;
    std::vector<std::unique_ptr<Transfer>> idle;
    bool has_room() const { return running.size() < target.settings.connections; }
    Duration due(const FetchOrder& flight) const {
      return flight.started + target.settings.timeout;
    }
  };

  Fetcher(Loop& loop, Log& log, Landed landed, Reported reported);
  Status open(std::vector<Target> targets);
  Status watch_files(Lane& lane, UpstreamId upstream);
  Status connect_anew(Lane& lane);
  void fill(Lane& lane);
  void launch(Lane& lane, const FetchOrder& flight, std::string_view token);
  void done(CURL* easy, CURLcode code);
  std::unique_ptr<Transfer> take_running(Lane& lane, const Transfer& transfer);
  void sweep();
  void sweep(Lane& lane, Duration now);
  static Transfer* find_late(const Lane& lane, Duration now);
  void arm(Duration due);
  void land_late(const FetchOrder& flight);
  void land_failed(const FetchOrder& flight, proto::Reason reason, std::string detail);

  struct Watch {
    UpstreamId upstream = 0;
    std::unique_ptr<CredentialWatch> files;
  };

  Loop& loop_;
  Log& log_;
  Landed landed_;
  Reported reported_;
  std::vector<Watch> watches_;
  std::vector<std::unique_ptr<Lane>> lanes_;
  // Under older credentials: not to be destroyed within a callback of theirs.
  std::vector<std::shared_ptr<Connections>> retired_;
  std::optional<KernelTimer> deadline_;  // not stopped when its flight ends: sweep() finds the next
  std::optional<KernelTimer> next_look_;  // none: there are no files
};

}  // namespace claimsd::daemon
