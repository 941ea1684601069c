// contender.h: one way to get an answer: a client connection and its server process.
//
// Used by the single thread of the measuring process. Only ask() is timed.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "tests/bench/process.h"

namespace claimsd::bench {

class Contender {
 public:
  virtual ~Contender() = default;

  // Its label in goals and tables.
  virtual std::string name() const = 0;
  // All processes that take part in an answer. They are placed on the server's core.
  virtual std::vector<pid_t> servers() const = 0;

  // Called before each round, to make the server know what it has to know.
  virtual Status begin_round() { return {}; }
  // Called before each query.
  virtual Status prepare() { return {}; }
  // One query and its answer, or enough of them that the cost of reading the clock is negligible.
  virtual Status query() = 0;
  virtual int answers_per_ask() const { return 1; }
  // Called after each, to check that the intended kind of answer was measured.
  virtual Status check() = 0;
};

}  // namespace claimsd::bench
