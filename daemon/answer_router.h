// answer_router.h: gives each answer of the service to the socket that the query came from. Owned by
// the composition root; loop thread.
#pragma once

#include "daemon/claims/ports.h"
#include "daemon/front_door/front_door.h"
#include "daemon/loop/unix_socket.h"
#include "daemon/server/server.h"

namespace claimsd::daemon {

class AnswerRouter final : public claims::AnswerSink {
 public:
  // `front_door`: null if it is off.
  AnswerRouter(server::Server& server, front_door::FrontDoor* front_door)
      : server_(server), front_door_(front_door) {}

  void answer(const claims::Waiter& waiter, const claims::Answer& answer) override {
    if (front_door::FrontDoor::owns(waiter)) return front_door_->answer(waiter, answer);
    server_.answer(waiter, answer);
  }
  void receipt(const claims::Waiter& waiter, proto::Reason reason) override {
    if (front_door::FrontDoor::owns(waiter)) return front_door_->receipt(waiter, reason);
    server_.receipt(waiter, reason);
  }
  const loop::PeerCredentials* peer(std::uint64_t connection) const {
    return front_door::FrontDoor::owns(connection) ? front_door_->peer(connection)
                                                   : server_.peer(connection);
  }

 private:
  server::Server& server_;
  front_door::FrontDoor* front_door_;
};

}  // namespace claimsd::daemon
