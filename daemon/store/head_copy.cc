#include "daemon/store/head_copy.h"

#include <errno.h>
#include <fcntl.h>
#include <fmt/core.h>

#include <charconv>

#include "daemon/base/fd.h"
#include "daemon/base/hex.h"
#include "daemon/base/read_fully.h"
#include "daemon/base/replace_file.h"
#include "daemon/crypto/hmac_sha256.h"
#include "daemon/store/private_directory.h"

namespace claimsd::store {
namespace {

constexpr std::string_view kIntroduction = "claimsd-revocations 1 ";
constexpr std::size_t kCheckDigits = 16;
constexpr std::size_t kMaxCopy = 256;

Result<std::string> line_of(const claims::SetHead& head) {
  crypto::HmacSha256 check = TRY(crypto::HmacSha256::create("claimsd revocations head"));
  const std::string line =
      fmt::format("{}{} {}", kIntroduction, head.sequence, hex_text(head.digest));
  return fmt::format("{} {}\n", line, hex_text(check.finish(line)).substr(0, kCheckDigits));
}

std::optional<claims::SetHead> parse(std::string_view text) {
  claims::SetHead head;
  if (!text.starts_with(kIntroduction)) return std::nullopt;
  text.remove_prefix(kIntroduction.size());
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), head.sequence);
  if (error != std::errc()) return std::nullopt;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  constexpr std::size_t kBytes = sizeof(claims::SetHead::digest);
  if (!text.starts_with(' ')) return std::nullopt;
  const auto digest = array_from_hex<kBytes>(text.substr(1, 2 * kBytes));
  if (!digest) return std::nullopt;
  head.digest = *digest;
  return head;
}

}  // namespace

std::string digest_text(const claims::SetHead& head) {
  return hex_text(head.digest);
}

Result<std::optional<claims::SetHead>> read_head_copy(const std::string& path) {
  const Fd fd(open(path.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK));
  if (!fd && errno == ENOENT) return std::optional<claims::SetHead>();
  std::string text(kMaxCopy, '\0');
  if (!fd) return failure(fmt::format("cannot read {}: {}", path, errno_text(errno)));
  const auto size = read_fully(fd.get(), text);
  if (!size) return failure(fmt::format("cannot read {}: {}", path, errno_text(size.error())));
  text.resize(*size);
  const std::optional<claims::SetHead> head = parse(text);
  // The whole line is encoded again and compared, so that nothing in it can be damaged unnoticed.
  const std::string expected = TRY(line_of(head.value_or(claims::SetHead{})));
  if (!head || expected != text) return failure(fmt::format("{} is damaged", path));
  return head;
}

Status write_head_copy(const std::string& path, const claims::SetHead& head) {
  const std::string line = TRY(line_of(head));
  return replace_file(path, line);
}

}  // namespace claimsd::store
