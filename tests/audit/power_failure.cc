#include "tests/audit/power_failure.h"

#include <cstring>
#include <filesystem>
#include <fstream>

#include "tests/audit/audit_fixture.h"

namespace claimsd::audit::testing {

PowerFailure::PowerFailure(const std::string& trace_path, std::string directory)
    : directory_(std::move(directory)) {
  const std::string trace = file_text(trace_path);
  std::size_t at = 0;
  const auto number = [&](auto example) {
    std::memcpy(&example, trace.data() + at, sizeof example);
    at += sizeof example;
    return example;
  };
  while (at < trace.size()) {
    Operation operation{};
    operation.kind = trace[at];
    operation.durable = trace[at + 1] != 0;
    at += 2;
    const auto path_size = number(std::uint32_t{});
    operation.path = trace.substr(at, path_size);
    at += path_size;
    operation.offset = number(std::uint64_t{});
    const auto size = number(std::uint64_t{});
    operation.data = trace.substr(at, size);
    at += size;
    operations_.push_back(std::move(operation));
  }
}

void PowerFailure::rename(Disk& disk, const std::string& path, int file) {
  disk.names.push_back({false, path, file});
  if (file < 0) {
    disk.now.erase(path);
  } else {
    disk.now[path] = file;
  }
}

void PowerFailure::apply(Disk& disk, const Operation& operation) const {
  const auto file_at = [&](const std::string& path) -> std::vector<Write>& {
    if (disk.now.count(path) == 0) {
      disk.files.emplace_back();
      rename(disk, path, static_cast<int>(disk.files.size()) - 1);
    }
    return disk.files[static_cast<std::size_t>(disk.now[path])];
  };
  switch (operation.kind) {
    case 'W':
      file_at(operation.path)
          .push_back({operation.durable, false, operation.offset, &operation.data});
      break;
    case 'T': file_at(operation.path).push_back({false, true, operation.offset, nullptr}); break;
    case 'F':
      if (operation.path == directory_) {
        for (Name& name : disk.names) name.durable = true;
      } else {
        for (Write& write : file_at(operation.path)) write.durable = true;
      }
      break;
    case 'L': rename(disk, operation.data, disk.now.at(operation.path)); break;
    case 'R': {
      const int file = disk.now.at(operation.path);
      rename(disk, operation.path, -1);
      rename(disk, operation.data, file);
      break;
    }
    case 'U':
      if (disk.now.count(operation.path) != 0) rename(disk, operation.path, -1);
      break;
    default: break;  // an acknowledgment
  }
}

PowerFailure::Disk PowerFailure::replay(std::size_t operations) const {
  Disk disk;
  for (std::size_t i = 0; i < operations; ++i) apply(disk, operations_[i]);
  return disk;
}

void PowerFailure::leave(std::size_t operations, std::mt19937_64* dice,
                         const std::string& into) const {
  const Disk disk = replay(operations);
  std::map<std::string, int> names;
  bool journal_ended = false;
  for (const Name& name : disk.names) {
    if (!name.durable && (dice == nullptr || (*dice)() % 4 == 0)) journal_ended = true;
    if (journal_ended && !name.durable) break;
    if (name.file < 0) {
      names.erase(name.path);
    } else {
      names[name.path] = name.file;
    }
  }
  for (const auto& [path, file] : names) {
    std::string bytes;
    for (const Write& write : disk.files[static_cast<std::size_t>(file)]) {
      if (!write.durable && (dice == nullptr || (*dice)() % 2 == 0)) continue;
      if (write.truncates) {
        bytes.resize(write.offset);
        continue;
      }
      if (bytes.size() < write.offset + write.data->size()) {
        bytes.resize(write.offset + write.data->size());
      }
      bytes.replace(write.offset, write.data->size(), *write.data);
    }
    std::ofstream(into + path.substr(directory_.size()), std::ios::binary) << bytes;
  }
}

std::vector<claims::AuditTicket> PowerFailure::acknowledged(std::size_t operations) const {
  std::vector<claims::AuditTicket> tickets;
  for (std::size_t i = 0; i < operations; ++i) {
    if (operations_[i].kind != 'A') continue;
    claims::AuditTicket ticket = 0;
    std::memcpy(&ticket, operations_[i].data.data(), sizeof ticket);
    tickets.push_back(ticket);
  }
  return tickets;
}

}  // namespace claimsd::audit::testing
