// bus_thread.h: the production Bus: a thread that is connected to Redis, or tries to be.
//
// Created, used and destroyed on the loop thread; events are delivered there. Nothing on the loop
// thread waits for the bus: commands are put into a bounded queue, and dropped while there is no
// connection or no room. Commands of an earlier connection are not sent on a later one. The
// destructor waits for the thread: at most for a read of the credential files.
#pragma once

#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "daemon/base/fd.h"
#include "daemon/fleet/bus_command.h"
#include "daemon/fleet/event_queue.h"
#include "daemon/fleet/ports.h"
#include "daemon/redis/servers.h"

namespace claimsd::fleet {

struct BusStatus {
  bool connected = false;
  std::string server;       // the last one: "redis-1:6379"
  std::string error;        // why it is not connected; "": it is, or no attempt has ended
  std::string write_error;  // the last write that the server refused; "": the last ones succeeded
  std::string excess;       // what the user of Redis may do too much; "": nothing
  std::uint64_t connects = 0;
  std::uint64_t dropped = 0;  // commands for which there was no room
};

class BusThread final : public Bus {
 public:
  struct Options {
    std::string fleet;
    redis::Settings servers;
  };
  static constexpr std::size_t kMaxCommands = 4096;
  static constexpr std::size_t kMaxCommandBytes = 16 * 1024 * 1024;

  // `clock` must outlive this object. `consume` receives every event, on the loop thread.
  static Result<std::unique_ptr<BusThread>> create(Options options, loop::Loop& loop,
                                                   const Clock& clock, EventQueue::Consume consume);
  ~BusThread() override;
  BusThread(const BusThread&) = delete;
  BusThread& operator=(const BusThread&) = delete;

  void publish(Field item) override;
  void announce(std::string bytes) override;
  void pulse(std::string bytes) override;
  void put_row(Field row) override;
  void drop_rows(std::vector<std::string> names) override;
  void put_items(std::vector<Field> items) override;
  void drop_items(std::vector<std::string> names) override;
  void read_items() override;
  void read_rows() override;
  void count_items() override;

  const BusStatus& status() const { return status_; }

 private:
  struct Queued {
    std::uint64_t session = 0;
    BusCommand command;
  };

  BusThread(Options options, const Clock& clock, EventQueue::Consume consume);
  Status start(loop::Loop& loop);
  void send(BusCommand command);
  void take(BusEvent&& event);
  void run();
  Status serve();
  std::vector<BusCommand> take_commands();

  const Options options_;
  const BusKeys keys_;
  const Clock& clock_;
  const EventQueue::Consume consume_;
  Fd stop_;  // eventfd(2): readable once the thread is to stop
  Fd wake_;  // eventfd(2): readable while commands wait
  std::unique_ptr<EventQueue> events_;
  BusStatus status_;                         // loop thread
  std::uint64_t accepted_ = 0;               // loop thread: the session for new commands; 0: none
  std::uint64_t session_ = 0;                // bus thread
  std::unique_ptr<redis::Servers> servers_;  // bus thread

  std::mutex mutex_;  // guards the members below
  std::deque<Queued> commands_;
  std::size_t command_bytes_ = 0;

  std::thread thread_;
};

}  // namespace claimsd::fleet
