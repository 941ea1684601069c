// power_failure.h: what a disk may hold after a power failure, derived from a trace of
// watched_disk.c.
//
// Flushed data is present. Each unflushed write may be present or missing, independently. Writes
// through a descriptor with O_DSYNC are durable on return. Directory entries appear in the order in
// which they were made, up to some point after the last flush of the directory, as on a journaling
// file system.
#pragma once

#include <map>
#include <random>
#include <string>
#include <vector>

#include "daemon/audit/intake.h"

namespace claimsd::audit::testing {

class PowerFailure {
 public:
  // Reads the trace of a writer that started in an empty directory.
  PowerFailure(const std::string& trace_path, std::string directory);

  std::size_t operations() const { return operations_.size(); }
  // Creates in `into` the state after a power failure following this many operations. Without dice
  // all unflushed data is lost.
  void leave(std::size_t operations, std::mt19937_64* dice, const std::string& into) const;
  std::vector<claims::AuditTicket> acknowledged(std::size_t operations) const;

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
    int file;  // -1: the name is removed
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

}  // namespace claimsd::audit::testing
