// counter_table.h: defines a struct of counters and a visitor from one table, so that status,
// metrics and documentation share the same rows.
//
// A table is a macro of rows C(name, help). The metric is named "claimsd_" + name + "_total".
// Counters are plain integers of one thread. They only grow, and start at 0 with the daemon.
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
