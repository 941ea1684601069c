// revocation_writer.h: writes revocations to disk on its own thread, so that a slow disk delays no
// query. Implements the service's RevocationLog. Owned by the composition root.
//
// Created, used and destroyed on the loop thread; `done` is called there. Orders that arrive during
// a write are written together. The destructor writes the rest without calling `done`.
#pragma once

#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <thread>

#include "daemon/log/log.h"
#include "daemon/loop/message_queue.h"
#include "daemon/store/revocation_file.h"

namespace claimsd::store {

class RevocationWriter final : public claims::RevocationLog {
 public:
  // `log` must outlive this object.
  static Result<std::unique_ptr<RevocationWriter>> create(std::unique_ptr<RevocationFile> file,
                                                          loop::Loop& loop, Log& log);
  ~RevocationWriter() override;
  RevocationWriter(const RevocationWriter&) = delete;
  RevocationWriter& operator=(const RevocationWriter&) = delete;

  void keep(std::vector<claims::Rule> rules, Done done) override;
  void drop(std::vector<claims::RuleName> names) override;
  bool idle() const { return waiting_.empty(); }

 private:
  struct Written {
    std::uint64_t last = 0;  // all orders up to this one
    bool durable = false;
  };

  RevocationWriter(std::unique_ptr<RevocationFile> file, Log& log);
  Status start(loop::Loop& loop);
  void run();
  void written(const Written& written);

  std::unique_ptr<RevocationFile> file_;  // used by the thread only once it runs
  Log& log_;
  std::unique_ptr<loop::MessageQueue<Written>> results_;
  std::uint64_t last_order_ = 0;
  std::map<std::uint64_t, Done> waiting_;

  std::mutex mutex_;  // guards the members below
  std::condition_variable work_;
  std::vector<claims::Rule> rules_;
  std::vector<claims::RuleName> gone_;
  std::uint64_t ordered_ = 0;
  bool stop_ = false;

  std::thread thread_;
};

}  // namespace claimsd::store
