// power_failure.h: what a disk may hold after the power went, from a trace of watched_disk.c.
//
// What was flushed is there. Of what was not, each write may be there or not, alone; writes through
// a descriptor with O_DSYNC are there when they return. Names of a directory appear in the order in
// which they were made, up to some point after the last flush of the directory, as file systems
// with a journal have it.
#pragma once

#include <map>
#include <random>
#include <string>
#include <vector>

#include "daemon/audit/intake.h"

namespace claimsd::daemon::testing {

class PowerFailure {
 public:
  // The trace of a writer, started on an empty directory.
  PowerFailure(const std::string& trace_path, std::string directory);

  std::size_t operations() const { return operations_.size(); }
  // Writes into `into` what is left when the power goes after so many operations. Without dice
  // nothing unflushed is left at all.
  void leave(std::size_t operations, std::mt19937_64* dice, const std::string& into) const;
  std::vector<AuditTicket> acknowledged(std::size_t operations) const;

 private:
  struct Operation {
    char kind;
    bool durable;
    std::string path;
    std::uint64_t offset;
    std::string data;
  };
  struct Write {
    bool durable;
    bool truncates;
    std::uint64_t offset;
    const std::string* data;
  };
  struct Name {
    bool durable;
    std::string path;
    int file;  // -1: the name goes
  };
  struct Disk {
    std::vector<std::vector<Write>> files;
    std::vector<Name> names;         // in order
    std::map<std::string, int> now;  // as the running system sees it
  };

  Disk replay(std::size_t operations) const;
  void apply(Disk& disk, const Operation& operation) const;
  static void rename(Disk& disk, const std::string& path, int file);

  std::string directory_;
  std::vector<Operation> operations_;
};

}  // namespace claimsd::daemon::testing
