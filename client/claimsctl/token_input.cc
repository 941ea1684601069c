#include "client/claimsctl/token_input.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <string.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <system_error>

#include "daemon/base/fd.h"
#include "daemon/base/read_fully.h"
#include "daemon/store/file_rules.h"

namespace claimsd::claimsctl {
namespace {

// Twice the longest token (32 KiB), so that truncated input is still rejected for its length.
constexpr std::size_t kEnough = 64 * 1024;

struct Buffer {
  Buffer() = default;
  Buffer(const Buffer&) = delete;
  Buffer& operator=(const Buffer&) = delete;
  ~Buffer() { explicit_bzero(bytes.data(), bytes.size()); }
  std::array<char, kEnough> bytes;
};

std::string error_text(int error) {
  return std::generic_category().message(error);
}

Problem cannot_read(std::string_view what, int error) {
  return {error == EACCES ? Exit::kNoPermission : Exit::kUsage, "token_unreadable",
          fmt::format("cannot read the token from {}: {}", what, error_text(error)),
          "name a readable file that contains only the token"};
}

Problem terminal_refused() {
  return {Exit::kUsage, "token_from_terminal",
          "the token is read from standard input, which is a terminal",
          "pass it from a file or a program: append < FILE or --token-file FILE to the command"};
}

Fd open_file(const std::string& file) {
  return Fd(::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY));
}

std::string_view without_newline(std::string_view text) {
  if (!text.empty() && text.back() == '\n') text.remove_suffix(1);
  if (!text.empty() && text.back() == '\r') text.remove_suffix(1);
  return text;
}

}  // namespace

Expected<Secret> read_token(const std::string& file) {
  const bool standard_input = file == "-";
  // Do not repeat the file name: the user may have passed the token itself.
  const std::string_view what = standard_input ? "standard input" : "the file given";
  Fd opened;
  if (!standard_input) {
    opened = open_file(file);
    if (!opened) return tl::make_unexpected(cannot_read(what, errno));
  }
  const int fd = standard_input ? STDIN_FILENO : opened.get();
  if (::isatty(fd) == 1) return tl::make_unexpected(terminal_refused());
  Buffer buffer;
  const auto size = read_fully(fd, buffer.bytes);
  if (!size) return tl::make_unexpected(cannot_read(what, size.error()));
  const auto token = without_newline({buffer.bytes.data(), *size});
  if (token.empty()) {
    return tl::make_unexpected(Problem{Exit::kUsage, "token_empty",
                                       fmt::format("there is no token in {}", what),
                                       "append < FILE or --token-file FILE to the command"});
  }
  return Secret(token);
}

std::optional<Secret> read_host_key(const std::string& file) {
  const Fd opened = open_file(file);
  if (!opened) return std::nullopt;
  Buffer buffer;
  const auto size = read_fully(opened.get(), buffer.bytes);
  if (!size || *size != store::kHostKeySize) return std::nullopt;
  return Secret({buffer.bytes.data(), *size});
}

}  // namespace claimsd::claimsctl
