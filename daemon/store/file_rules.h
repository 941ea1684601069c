// file_rules.h: what the daemon asks of the files and directories that hold its secrets, judged
// from what stat(2) said of them. Pure; any thread.
//
// The daemon applies them as it starts; `claimsctl doctor` applies the same ones from outside.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace claimsd::daemon {

enum class FileKind : std::uint8_t { kRegular, kDirectory, kSocket, kLink, kOther };

struct FileFacts {
  FileKind kind = FileKind::kOther;
  std::uint32_t mode = 0;  // permission bits
  std::uint32_t uid = 0;
  std::uint32_t gid = 0;
  std::uint64_t size = 0;
};

struct FileFault {
  std::string what;  // what is wrong, with the path
  std::string mend;  // what to do about it
  std::string text() const { return what + ": " + mend; }
};

// A directory that holds secrets: nobody but `owner` (and root) may look into it.
std::optional<FileFault> judge_private_directory(const std::string& path, const FileFacts& found,
                                                 std::uint32_t owner);

// The directory of a secret file that may lie among others, as in /etc: it may be readable, but
// nobody else may be able to replace what is in it.
std::optional<FileFault> judge_guarded_directory(const std::string& path, const FileFacts& found,
                                                 std::uint32_t owner);

enum class HostKeySource : std::uint8_t {
  // Made with mode 0400 where it is missing, so that it is there whole or not at all, also after a
  // crash.
  kFile,
  // A systemd credential (systemd.exec(5), LoadCredential=): never made here. May be root's and
  // readable by group, which is how the mask of the access list that systemd 252 grants the service
  // with shows in the mode.
  kCredential,
};

inline constexpr std::size_t kHostKeySize = 32;  // bytes

std::optional<FileFault> judge_host_key(const std::string& path, const FileFacts& found,
                                        HostKeySource source, std::uint32_t owner);

}  // namespace claimsd::daemon
