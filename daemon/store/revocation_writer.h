// revocation_writer.h: writes revocations to disk on its own thread, so that a slow disk delays no
// query. Implements the service's RevocationLog. Owned by the composition root.
//
// Created, used and destroyed on the loop thread; callbacks run there. Changes that arrive during a
// write are written together. While the disk fails, everything not yet written is tried again every
// `retry`: what an operator ordered becomes durable without another order. An order is
// reported as not durable yet after `patience`, or after the first failure. The destructor tries once
// more, without callbacks.
#pragma once

#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "daemon/base/clock.h"
#include "daemon/log/log.h"
#include "daemon/loop/message_queue.h"
#include "daemon/loop/timer.h"
#include "daemon/store/revocation_file.h"

namespace claimsd::store {

// Purges, revocations and withdrawals that are in effect, but not on disk.
struct RevocationBacklog {
  std::uint64_t changes = 0;
  Duration age{};     // of the oldest
  std::string error;  // why the last write failed; "": it is still in progress
};

class RevocationWriter final : public claims::RevocationLog {
 public:
  struct Options {
    Duration patience = seconds(10);
    Duration retry = seconds(1);
    // The head of the set has changed on disk. Called before the orders that changed it are reported.
    std::function<void(const claims::SetHead&)> on_head;
  };
  // `clock` and `log` must outlive this object. Writes what the file has due first.
  static Result<std::unique_ptr<RevocationWriter>> create(std::unique_ptr<RevocationFile> file,
                                                          loop::Loop& loop, const Clock& clock,
                                                          Log& log, Options options);
  ~RevocationWriter() override;
  RevocationWriter(const RevocationWriter&) = delete;
  RevocationWriter& operator=(const RevocationWriter&) = delete;

  void write(claims::RevocationChange change, Done done) override;
  // True if everything is on disk.
  bool idle() const { return orders_.empty(); }
  RevocationBacklog backlog() const;

 private:
  struct Order {
    BootTime since;
    Done done;  // empty once it was called
  };
  struct Attempt {
    std::uint64_t last = 0;  // all orders up to this one
    std::string error;       // "": durable
    claims::SetHead head;
  };

  RevocationWriter(std::unique_ptr<RevocationFile> file, loop::Loop& loop, const Clock& clock,
                   Log& log, Options options);
  Status start(loop::Loop& loop);
  void run();
  bool try_to_write(const claims::RevocationChange& change, std::uint64_t last);
  void written(const Attempt& result);
  void report_overdue();

  std::unique_ptr<RevocationFile> file_;  // used by the thread only once it runs
  const Clock& clock_;
  Log& log_;
  const Options options_;
  std::unique_ptr<loop::MessageQueue<Attempt>> results_;
  loop::Timer patience_;
  std::uint64_t last_order_ = 0;
  std::map<std::uint64_t, Order> orders_;
  std::string error_;

  std::mutex mutex_;  // guards the members below
  std::condition_variable work_;
  claims::RevocationChange change_;
  std::uint64_t ordered_ = 0;
  bool stop_ = false;

  std::thread thread_;
};

}  // namespace claimsd::store
