// contender.h: one way of getting an answer: a client's connection, and the server process on its
// other side.
//
// Used by the measuring process' one thread. Only ask() is timed.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "tests/bench/process.h"

namespace claimsd::bench {

class Contender {
 public:
  virtual ~Contender() = default;

  // As it is called in goals and tables.
  virtual std::string name() const = 0;
  // Every process that works for an answer: placed on the server's core.
  virtual std::vector<pid_t> servers() const = 0;

  // Before each round: what must be known to the server.
  virtual Status begin_round() { return {}; }
  // Before each question.
  virtual Status prepare() { return {}; }
  // A question and its answer: one, or as many as it takes for the clock's own cost not to matter.
  virtual Status ask() = 0;
  virtual int answers_per_ask() const { return 1; }
  // After each: was it the answer that we think we measured?
  virtual Status check() = 0;
};

}  // namespace claimsd::bench
