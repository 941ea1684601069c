// file_rules.h: checks of ownership and mode for files and directories that hold secrets, given the
// result of stat(2). Pure; any thread.
//
// Used by the daemon at startup and by `claimsctl doctor`.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace claimsd::store {

enum class FileKind : std::uint8_t { kRegular, kDirectory, kSocket, kLink, kOther };

struct FileFacts {
  FileKind kind = FileKind::kOther;
  std::uint32_t mode = 0;  // permission bits
  std::uint32_t uid = 0;
  std::uint32_t gid = 0;
  std::uint64_t size = 0;
};

struct FileFault {
  std::string what;  // the fault, with the path
  std::string fix;   // how to fix it
  std::string text() const { return what + ": " + fix; }
};

// For a directory of secrets: accessible only to `owner` and root.
std::optional<FileFault> judge_private_directory(const std::string& path, const FileFacts& found,
                                                 std::uint32_t owner);

// For the directory of a single secret file, such as /etc: it may be readable, but only `owner` and
// root may be able to replace files in it.
std::optional<FileFault> judge_guarded_directory(const std::string& path, const FileFacts& found,
                                                 std::uint32_t owner);

// For the directory of a socket that workers send tokens to: others may use it, but only `owner` and
// root may create, rename or replace files in it. A sticky directory does not suffice, as it would
// for a key: the socket is missing at times, and then any user could create it.
std::optional<FileFault> judge_socket_directory(const std::string& path, const FileFacts& found,
                                                std::uint32_t owner);

enum class HostKeySource : std::uint8_t {
  // Created with mode 0400 if missing, atomically even across a crash.
  kFile,
  // A systemd credential (systemd.exec(5), LoadCredential=): never created here. It may belong to
  // root and be group-readable, because systemd 252 grants access by an ACL whose mask shows as
  // group bits.
  kCredential,
};

inline constexpr std::size_t kHostKeySize = 32;  // bytes

std::optional<FileFault> judge_host_key(const std::string& path, const FileFacts& found,
                                        HostKeySource source, std::uint32_t owner);

}  // namespace claimsd::store
