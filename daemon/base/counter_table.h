// counter_table.h: a struct of counters out of one table, with a visitor, so that what a part
// counts is written down once: status, metrics and documentation all walk the same rows.
//
// A table is a macro of rows C(name, help): the name is the metric's, without "claimsd_" and
// "_total". Counters are plain integers of one thread; they only grow until the daemon restarts.
#pragma once

#include <cstdint>
#include <string_view>

#define CLAIMSD_COUNTER_MEMBER(name, help) std::uint64_t name = 0;
#define CLAIMSD_COUNTER_VISIT(name, help) \
  visit(std::string_view(#name), std::string_view(help), counters.name);

// Defines `Struct`, and each_counter(), which calls `visit(name, help, value)` for each row.
#define CLAIMSD_COUNTER_STRUCT(Struct, TABLE)                \
  struct Struct {                                            \
    TABLE(CLAIMSD_COUNTER_MEMBER)                            \
  };                                                         \
  template <class Visit>                                     \
  void each_counter(const Struct& counters, Visit&& visit) { \
    TABLE(CLAIMSD_COUNTER_VISIT)                             \
  }
