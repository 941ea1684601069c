// front_door.h: the HTTP front door: asks the service for each request that the HTTP thread has
// read, and decides. Hidden from the service behind the same AnswerSink as the claims socket.
//
// A request counts as a query of its peer's uid, with the same limits and audit records. A request
// that is denied or has no token is reported, like a worker does, and answered once its record is
// durable or cannot be. Owned by the composition root; loop thread.
#pragma once

#include <deque>
#include <memory>
#include <unordered_map>
#include <vector>

#include "daemon/claims/service.h"
#include "daemon/front_door/counters.h"
#include "daemon/front_door/http_thread.h"
#include "daemon/loop/idle.h"

namespace claimsd::front_door {

// TCP connections have no peer uid. They share this one, which is no user's (chown(2)).
inline constexpr std::uint32_t kTcpUid = 0xffffffff;

class FrontDoor final : public claims::AnswerSink {
 public:
  // Whether a waiter is the front door's. Connections of the claims socket count from 1.
  static bool owns(const claims::Waiter& waiter) { return owns(waiter.connection); }
  static bool owns(std::uint64_t connection) { return (connection & kMark) != 0; }

  static Result<std::unique_ptr<FrontDoor>> create(std::vector<Fd> listening, Settings settings,
                                                   const HttpLimits& limits, loop::Loop& loop);
  ~FrontDoor() override;
  FrontDoor(const FrontDoor&) = delete;
  FrontDoor& operator=(const FrontDoor&) = delete;

  // Sets where queries go. Call once, before the loop runs.
  void connect(claims::ClaimsService& service) { service_ = &service; }
  void reconfigure(Settings settings);
  // The shared map of leases, which the HTTP thread reads; -1: there is none.
  void use_map(int descriptor) { thread_->use_map(descriptor); }

  void answer(const claims::Waiter& waiter, const claims::Answer& answer) override;
  void receipt(const claims::Waiter& waiter, proto::Reason reason) override;

  // The peer of a request that waits; null if there is none.
  const loop::PeerCredentials* peer(std::uint64_t connection) const;
  // True when no request waits for its decision.
  bool idle() const { return waiting_.empty(); }
  Counters counters() const;
  std::size_t connections() const { return thread_->connections(); }

 private:
  static constexpr std::uint64_t kMark = std::uint64_t{1} << 63U;
  struct Waiting {
    // Shared with a call of the service, which may answer before it returns and so end this.
    std::shared_ptr<const Question> question;
    std::shared_ptr<const Settings> settings;  // when it was asked
    Target target;                             // in `settings`
    Decision decision;                         // once there is one; a report may hold it up
    bool fetches_again = false;                // the document, which is not in the cache as a whole
  };

  FrontDoor(Settings settings, loop::Loop& loop);
  void ask(Question&& question);
  void query(std::uint64_t connection, const Waiting& waiting);
  bool takes_document(Waiting& waiting, const claims::Answer& answer);
  void defer(std::uint64_t connection);
  void continue_deferred();
  void report(std::uint64_t connection, const Waiting& waiting);
  void finish(std::uint64_t connection);

  std::shared_ptr<const Settings> settings_;
  claims::ClaimsService* service_ = nullptr;
  Counters counters_;
  std::unordered_map<std::uint64_t, Waiting> waiting_;  // by connection: its id, marked
  // Reported, or asked again, outside the service's call that answered them.
  std::deque<std::uint64_t> deferred_;
  loop::Idle idle_;
  std::unique_ptr<HttpThread> thread_;  // last: it calls ask()
};

}  // namespace claimsd::front_door
