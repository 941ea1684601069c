// Encodes and decodes the rows of a segment and its file name.
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fmt/core.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <memory>
#include <system_error>

#include "daemon/audit/segment.h"
#include "daemon/base/fd.h"
#include "daemon/base/parse_integer.h"

namespace claimsd::audit {
namespace {

constexpr std::string_view kSuffix = ".segment";
constexpr std::size_t kDigits = 20;  // digits of 2^64 - 1

std::string errno_text(int error) {
  return std::generic_category().message(error);
}

std::optional<SegmentFile> parse_name(std::string_view name) {
  if (name.size() <= kDigits + 1 + kSuffix.size() || name[kDigits] != '.') return std::nullopt;
  if (name.substr(name.size() - kSuffix.size()) != kSuffix) return std::nullopt;
  const auto first = parse_integer<Sequence>(name.substr(0, kDigits));
  const auto generation = parse_integer<std::uint32_t>(
      name.substr(kDigits + 1, name.size() - kSuffix.size() - kDigits - 1));
  if (!first || !generation) return std::nullopt;
  return SegmentFile{.path = {}, .first = *first, .generation = *generation};
}

struct CloseDirectory {
  void operator()(DIR* directory) const { closedir(directory); }
};

}  // namespace

std::string segment_name(Sequence first, std::uint32_t generation) {
  return fmt::format("{:020}.{}{}", first, generation, kSuffix);
}

Result<std::vector<SegmentFile>> list_segments(const std::string& directory) {
  const std::unique_ptr<DIR, CloseDirectory> open(opendir(directory.c_str()));
  if (!open) {
    return failure(
        fmt::format("cannot read the audit directory {}: {}; allow this user to read it, or give "
                    "another directory",
                    directory, errno_text(errno)));
  }
  std::vector<SegmentFile> files;
  while (const dirent* const entry = readdir(open.get())) {
    auto file = parse_name(entry->d_name);
    if (!file) continue;
    file->path = fmt::format("{}/{}", directory, entry->d_name);
    struct stat found {};
    if (lstat(file->path.c_str(), &found) != 0 || !S_ISREG(found.st_mode)) {
      return failure(
          fmt::format("{} is not a regular file: the audit segment was replaced", file->path));
    }
    file->bytes = static_cast<std::uint64_t>(found.st_size);
    files.push_back(std::move(*file));
  }
  std::sort(files.begin(), files.end(), [](const auto& one, const auto& other) {
    return std::pair(one.first, one.generation) < std::pair(other.first, other.generation);
  });
  return files;
}

Status sync_directory(const std::string& directory) {
  const Fd fd(open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (fd && fsync(fd.get()) == 0) return {};
  return failure(fmt::format("cannot make the entries of {} durable: {}; check its disk", directory,
                             errno_text(errno)));
}

std::string sequence_key(Sequence sequence) {
  std::string key(8, '\0');
  for (std::size_t i = 8; i > 0; --i, sequence >>= 8U) {
    key[i - 1] = static_cast<char>(sequence & 0xffU);
  }
  return key;
}

std::optional<Sequence> sequence_of_key(std::string_view key) {
  if (key.size() != 8) return std::nullopt;
  Sequence sequence = 0;
  for (const char c : key) sequence = sequence << 8U | static_cast<std::uint8_t>(c);
  return sequence;
}

// The length comes first, so that no user's prefix is a prefix of another user's.
std::string user_index_prefix(std::string_view user) {
  user = user.substr(0, kMaxAuditUser);
  std::string prefix;
  prefix += static_cast<char>(user.size() >> 8U);
  prefix += static_cast<char>(user.size() & 0xffU);
  return prefix.append(user);
}

StoredRow stored_row(std::string_view key, std::string_view value) {
  StoredRow row;
  row.key = sequence_of_key(key).value_or(0);
  if (value.size() < row.link.size()) return row;
  row.record = value.substr(0, value.size() - row.link.size());
  std::memcpy(row.link.data(), value.data() + row.record.size(), row.link.size());
  return row;
}

}  // namespace claimsd::audit
