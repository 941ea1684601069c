// fetcher.h: all requests to Auth APIs: queued, running, timed out. Owned by the FetchThread, or by
// the UpstreamClient for loopback http; runs on its owner's loop.
//
// Each URL of an Auth API has its own queue and its own limit on concurrent requests, so one that
// hangs does not delay the others. A deadline counts from the start of the flight, whether it waits
// or runs. curl's own timeout starts with the transfer, so it is not used.
//
// A failure that a kept connection or an old address may have caused is repeated over a new
// connection, and the kept ones are dropped (recovery.h).
//
// Certificate files are checked every second. New credentials apply to requests started afterwards,
// over new connections. Running requests finish over their old connections, which then close.
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "daemon/log/log.h"
#include "daemon/loop/timer_fd.h"
#include "daemon/upstream/credential_watch.h"
#include "daemon/upstream/curl_multi.h"
#include "daemon/upstream/target.h"
#include "daemon/upstream/transfer.h"

namespace claimsd::upstream {

class Fetcher {
 public:
  // Called once per start(), possibly from within it.
  using OnComplete = std::function<void(claims::FlightId, claims::FetchOutcome&&)>;
  // Called when certificate files have changed, and once at start.
  using Reported = std::function<void(const CredentialReport&)>;

  static constexpr Duration kBetweenLooks = seconds(1);

  static Result<std::unique_ptr<Fetcher>> create(loop::Loop& loop, std::vector<Target> targets,
                                                 Log& log, OnComplete completed,
                                                 Reported reported = {});
  // Cancels running requests without calling OnComplete.
  ~Fetcher();
  Fetcher(const Fetcher&) = delete;
  Fetcher& operator=(const Fetcher&) = delete;

  void start(const FetchRequest& flight, std::string_view token);
  // Requests of this queue that start later use no connection that exists now.
  void drop_connections(std::size_t url_queue);
  // Checks the files of all Auth APIs. Also runs by itself every kBetweenLooks.
  void look();

 private:
  struct WaitingFetch {
    FetchRequest flight;
    Secret token;
  };
  struct UrlQueue {
    Target target;
    std::optional<UnixPeer> peer;      // of an http+unix URL
    CredentialWatch* watch = nullptr;  // shared by the URLs of one Auth API; null: it has no files
    std::shared_ptr<Connections> connections;
    std::deque<WaitingFetch> waiting;
    std::vector<std::unique_ptr<Transfer>> running;
    std::vector<std::unique_ptr<Transfer>> idle;
    bool has_room() const { return running.size() < target.settings.connections; }
    Duration due(const FetchRequest& flight) const {
      return flight.started + target.settings.timeout;
    }
  };

  Fetcher(loop::Loop& loop, Log& log, OnComplete completed, Reported reported);
  Status open(std::vector<Target> targets);
  Status watch_files(UrlQueue& url_queue, claims::UpstreamId upstream);
  static Status find_peer(UrlQueue& url_queue);
  Status connect_anew(UrlQueue& url_queue);
  void renew(UrlQueue& url_queue);
  void fill(UrlQueue& url_queue);
  void launch(UrlQueue& url_queue, const FetchRequest& flight, std::string_view token);
  void done(CURL* easy, CURLcode code, Duration age);
  bool recover(UrlQueue& url_queue, const Transfer& transfer, const Attempt& attempt);
  std::unique_ptr<Transfer> take_running(UrlQueue& url_queue, const Transfer& transfer);
  void sweep();
  void sweep(UrlQueue& url_queue, Duration now);
  static Transfer* find_late(const UrlQueue& url_queue, Duration now);
  void arm(Duration due);
  void complete_late(const FetchRequest& flight);
  void complete_failed(const FetchRequest& flight, proto::Reason reason, std::string detail);

  struct Watch {
    claims::UpstreamId upstream = 0;
    std::unique_ptr<CredentialWatch> files;
  };

  loop::Loop& loop_;
  Log& log_;
  OnComplete completed_;
  Reported reported_;
  std::vector<Watch> watches_;
  std::vector<std::unique_ptr<UrlQueue>> url_queues_;
  // Replaced connections, until their last request ends. Must not be destroyed inside one of their
  // callbacks.
  std::vector<std::shared_ptr<Connections>> retired_;
  std::optional<loop::TimerFd> collect_;  // active while one of them may be unused
  // Not stopped when its flight ends: sweep() finds the next deadline.
  std::optional<loop::TimerFd> deadline_;
  std::optional<loop::TimerFd> next_look_;  // none: there are no files
};

}  // namespace claimsd::upstream
